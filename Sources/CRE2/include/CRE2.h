// A C face of the RE2 regular-expression library, which is the engine Kusto itself uses.
#pragma once
#include <stddef.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern.
typedef struct vestige_re2 vestige_re2;

/// Compiles a pattern; on failure returns NULL and writes a NUL-terminated reason to `reason`.
vestige_re2 *vestige_re2_compile(
    const char *pattern, size_t length, bool case_sensitive, char *reason, size_t reason_size);

/// Frees a compiled pattern.
void vestige_re2_free(vestige_re2 *re);

/// The number of capturing groups.
int vestige_re2_groups(const vestige_re2 *re);

/// The index of a named capturing group, or -1.
int vestige_re2_group_named(const vestige_re2 *re, const char *name, size_t length);

/// Searches `text` from `start`. Writes 2 offsets (start, end; -1 when unmatched) for each of
/// `group_count` groups, group 0 being the whole match. Returns whether it matched.
bool vestige_re2_search(
    const vestige_re2 *re, const char *text, size_t length, size_t start, long *offsets, int group_count);

#ifdef __cplusplus
}
#endif
