#pragma once

/// The commit that was built, or "unknown".
const char *_Nonnull swiftwater_commit(void);
