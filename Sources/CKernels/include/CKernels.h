#pragma once
#include "crc32c.h"
#include "stacks.h"
#include "thread.h"
#include "trim.h"
#include "prefetch.h"
#include "textscan.h"
