#pragma once

/// Gives memory that was freed back to the system, where the allocator can.
void swiftwater_trim_memory(void);
