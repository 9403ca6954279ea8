/// The files below web/, in the program. A new file needs two lines here; Tests/Dashboard compares this list with the folder.

#include "DashboardFiles.h"

// #embed is C23, which this compiler reads in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define HTML "text/html; charset=UTF-8"
#define SCRIPT "text/javascript; charset=UTF-8"
#define STYLE "text/css; charset=UTF-8"
#define PICTURE "image/svg+xml"

static const unsigned char app_js[] = {
#embed "web/app.js"
};
static const unsigned char icon_svg[] = {
#embed "web/icon.svg"
};
static const unsigned char index_html[] = {
#embed "web/index.html"
};
static const unsigned char lib_api_js[] = {
#embed "web/lib/api.js"
};
static const unsigned char lib_chart_js[] = {
#embed "web/lib/chart.js"
};
static const unsigned char lib_dialogs_js[] = {
#embed "web/lib/dialogs.js"
};
static const unsigned char lib_dom_js[] = {
#embed "web/lib/dom.js"
};
static const unsigned char lib_editor_js[] = {
#embed "web/lib/editor.js"
};
static const unsigned char lib_flame_js[] = {
#embed "web/lib/flame.js"
};
static const unsigned char lib_format_js[] = {
#embed "web/lib/format.js"
};
static const unsigned char lib_graph_js[] = {
#embed "web/lib/graph.js"
};
static const unsigned char lib_history_js[] = {
#embed "web/lib/history.js"
};
static const unsigned char lib_icons_js[] = {
#embed "web/lib/icons.js"
};
static const unsigned char lib_keys_js[] = {
#embed "web/lib/keys.js"
};
static const unsigned char lib_lanes_js[] = {
#embed "web/lib/lanes.js"
};
static const unsigned char lib_layers_js[] = {
#embed "web/lib/layers.js"
};
static const unsigned char lib_live_js[] = {
#embed "web/lib/live.js"
};
static const unsigned char lib_logs_js[] = {
#embed "web/lib/logs.js"
};
static const unsigned char lib_ui_js[] = {
#embed "web/lib/ui.js"
};
static const unsigned char pages_checkpoints_js[] = {
#embed "web/pages/checkpoints.js"
};
static const unsigned char pages_configuration_js[] = {
#embed "web/pages/configuration.js"
};
static const unsigned char pages_exceptions_js[] = {
#embed "web/pages/exceptions.js"
};
static const unsigned char pages_job_actions_js[] = {
#embed "web/pages/job-actions.js"
};
static const unsigned char pages_job_graph_js[] = {
#embed "web/pages/job-graph.js"
};
static const unsigned char pages_job_js[] = {
#embed "web/pages/job.js"
};
static const unsigned char pages_key_groups_js[] = {
#embed "web/pages/key-groups.js"
};
static const unsigned char pages_overview_js[] = {
#embed "web/pages/overview.js"
};
static const unsigned char pages_process_js[] = {
#embed "web/pages/process.js"
};
static const unsigned char pages_rescales_js[] = {
#embed "web/pages/rescales.js"
};
static const unsigned char pages_spot_js[] = {
#embed "web/pages/spot.js"
};
static const unsigned char pages_submit_js[] = {
#embed "web/pages/submit.js"
};
static const unsigned char pages_taskmanagers_js[] = {
#embed "web/pages/taskmanagers.js"
};
static const unsigned char pages_timeline_js[] = {
#embed "web/pages/timeline.js"
};
static const unsigned char pages_vertex_js[] = {
#embed "web/pages/vertex.js"
};
static const unsigned char style_css[] = {
#embed "web/style.css"
};
static const unsigned char theme_js[] = {
#embed "web/theme.js"
};

#define FILE_AT(path, type, bytes) {path, type, bytes, sizeof bytes}

static const DashboardFile files[] = {
    FILE_AT("app.js", SCRIPT, app_js),
    FILE_AT("icon.svg", PICTURE, icon_svg),
    FILE_AT("index.html", HTML, index_html),
    FILE_AT("lib/api.js", SCRIPT, lib_api_js),
    FILE_AT("lib/chart.js", SCRIPT, lib_chart_js),
    FILE_AT("lib/dialogs.js", SCRIPT, lib_dialogs_js),
    FILE_AT("lib/dom.js", SCRIPT, lib_dom_js),
    FILE_AT("lib/editor.js", SCRIPT, lib_editor_js),
    FILE_AT("lib/flame.js", SCRIPT, lib_flame_js),
    FILE_AT("lib/format.js", SCRIPT, lib_format_js),
    FILE_AT("lib/graph.js", SCRIPT, lib_graph_js),
    FILE_AT("lib/history.js", SCRIPT, lib_history_js),
    FILE_AT("lib/icons.js", SCRIPT, lib_icons_js),
    FILE_AT("lib/keys.js", SCRIPT, lib_keys_js),
    FILE_AT("lib/lanes.js", SCRIPT, lib_lanes_js),
    FILE_AT("lib/layers.js", SCRIPT, lib_layers_js),
    FILE_AT("lib/live.js", SCRIPT, lib_live_js),
    FILE_AT("lib/logs.js", SCRIPT, lib_logs_js),
    FILE_AT("lib/ui.js", SCRIPT, lib_ui_js),
    FILE_AT("pages/checkpoints.js", SCRIPT, pages_checkpoints_js),
    FILE_AT("pages/configuration.js", SCRIPT, pages_configuration_js),
    FILE_AT("pages/exceptions.js", SCRIPT, pages_exceptions_js),
    FILE_AT("pages/job-actions.js", SCRIPT, pages_job_actions_js),
    FILE_AT("pages/job-graph.js", SCRIPT, pages_job_graph_js),
    FILE_AT("pages/job.js", SCRIPT, pages_job_js),
    FILE_AT("pages/key-groups.js", SCRIPT, pages_key_groups_js),
    FILE_AT("pages/overview.js", SCRIPT, pages_overview_js),
    FILE_AT("pages/process.js", SCRIPT, pages_process_js),
    FILE_AT("pages/rescales.js", SCRIPT, pages_rescales_js),
    FILE_AT("pages/spot.js", SCRIPT, pages_spot_js),
    FILE_AT("pages/submit.js", SCRIPT, pages_submit_js),
    FILE_AT("pages/taskmanagers.js", SCRIPT, pages_taskmanagers_js),
    FILE_AT("pages/timeline.js", SCRIPT, pages_timeline_js),
    FILE_AT("pages/vertex.js", SCRIPT, pages_vertex_js),
    FILE_AT("style.css", STYLE, style_css),
    FILE_AT("theme.js", SCRIPT, theme_js),
};

size_t dashboardFileCount(void) { return sizeof files / sizeof files[0]; }

DashboardFile dashboardFileAt(size_t index) { return files[index]; }

const char *dashboardContentSecurityPolicy(void) {
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}
