#pragma once
#include "crc32c.h"
#include "prefetch.h"
#include "textscan.h"
