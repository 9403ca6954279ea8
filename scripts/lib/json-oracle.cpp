// Reads JSON lines and prints for each what simdjson thinks of it: "error", or the fields s, d and n of the object, separated by
// tabs: a string as hex, a number as the bits of its double, an integer in decimal, "-" for null or nothing, "?" for anything else.
#include <simdjson.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

using namespace simdjson;

int main() {
    std::ios::sync_with_stdio(false);
    dom::parser parser;
    std::string line;
    while (std::getline(std::cin, line)) {
        dom::object object;
        if (parser.parse(line).get(object)) {
            std::puts("error");
            continue;
        }
        std::string s = "-", d = "-", n = "-";
        for (auto field : object) {
            char text[32];
            if (field.key == "s") {
                std::string_view value;
                if (field.value.is_null()) s = "-";
                else if (field.value.get(value)) s = "?";
                else {
                    s = "=";
                    for (unsigned char byte : value) { std::snprintf(text, sizeof text, "%02x", byte); s += text; }
                }
            } else if (field.key == "d") {
                double value;
                if (field.value.is_null()) d = "-";
                else if (field.value.get(value)) d = "?";
                else {
                    unsigned long long bits;
                    std::memcpy(&bits, &value, 8);
                    std::snprintf(text, sizeof text, "%llu", bits);
                    d = text;
                }
            } else if (field.key == "n") {
                int64_t value;
                if (field.value.is_null()) n = "-";
                else if (field.value.get(value)) n = "?";
                else n = std::to_string(value);
            }
        }
        std::printf("%s\t%s\t%s\n", s.c_str(), d.c_str(), n.c_str());
    }
}
