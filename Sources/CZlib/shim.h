// gzip: compressed part files and records.
#include <zlib.h>
