#pragma once

/// Names the calling thread for `top -H` and profilers; longer names are cut to 15 bytes.
void swiftwater_name_thread(const char *_Nonnull name);
