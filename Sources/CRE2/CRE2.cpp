#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

struct vestige_re2 {
    re2::RE2 re;
    vestige_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : re(pattern, options) {}
};

vestige_re2 *vestige_re2_compile(
    const char *pattern, size_t length, bool case_sensitive, char *reason, size_t reason_size) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(case_sensitive);
    auto *compiled = new vestige_re2(re2::StringPiece(pattern, length), options);
    if (compiled->re.ok()) return compiled;
    if (reason_size > 0) {
        const std::string &text = compiled->re.error();
        size_t count = std::min(text.size(), reason_size - 1);
        std::memcpy(reason, text.data(), count);
        reason[count] = 0;
    }
    delete compiled;
    return nullptr;
}

void vestige_re2_free(vestige_re2 *re) { delete re; }

int vestige_re2_groups(const vestige_re2 *re) { return re->re.NumberOfCapturingGroups(); }

int vestige_re2_group_named(const vestige_re2 *re, const char *name, size_t length) {
    const auto &groups = re->re.NamedCapturingGroups();
    auto found = groups.find(std::string(name, length));
    return found == groups.end() ? -1 : found->second;
}

bool vestige_re2_search(
    const vestige_re2 *re, const char *text, size_t length, size_t start, long *offsets, int group_count) {
    re2::StringPiece whole(text, length);
    re2::StringPiece few[8];
    std::vector<re2::StringPiece> many;
    re2::StringPiece *groups = few;
    if (group_count > 8) {
        many.resize(static_cast<size_t>(group_count));
        groups = many.data();
    }
    if (!re->re.Match(whole, start, length, re2::RE2::UNANCHORED, groups, group_count)) return false;
    for (int i = 0; i < group_count; i++) {
        if (groups[i].data() == nullptr) {
            offsets[2 * i] = offsets[2 * i + 1] = -1;
        } else {
            offsets[2 * i] = groups[i].data() - text;
            offsets[2 * i + 1] = offsets[2 * i] + static_cast<long>(groups[i].size());
        }
    }
    return true;
}
