// libyaml: the configuration files. A Swift package around it would bring all of Foundation into the servers, 8 MB of resident memory each.
#include <yaml.h>
