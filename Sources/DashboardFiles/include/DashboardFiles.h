#ifndef DASHBOARD_FILES_H
#define DASHBOARD_FILES_H

#include <stddef.h>

/// One file of the dashboard, embedded when this target is compiled. Nothing is read at run time.
typedef struct {
  /// Below the server's root, without a leading slash: "index.html", "lib/dom.js". "/" stands for "index.html".
  const char *_Nonnull path;
  /// What Content-Type says.
  const char *_Nonnull contentType;
  const unsigned char *_Nonnull bytes;
  size_t size;
} DashboardFile;

/// How many files there are.
size_t dashboardFileCount(void);

/// The files ordered by path, `index` below the count. Their bytes live as long as the process.
DashboardFile dashboardFileAt(size_t index);

/// Goes with every file as Content-Security-Policy: nothing but these files may run in the page, so that markup in names or error texts
/// stays text.
const char *_Nonnull dashboardContentSecurityPolicy(void);

#endif
