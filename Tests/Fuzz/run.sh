#!/usr/bin/env bash
# Feeds the KQL engine with inputs that libFuzzer makes up, for so many seconds (60 when not given).
# New inputs that reach new code are kept in .build-fuzz/corpus; crashes in .build-fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
export VESTIGE_FUZZ=1
swift build -c release --scratch-path .build-fuzz --product fuzz-kql -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld
mkdir -p .build-fuzz/corpus .build-fuzz/crashes
exec .build-fuzz/release/fuzz-kql -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=2000 -len_control=20 -dict=Tests/Fuzz/kql.dict \
    -artifact_prefix=.build-fuzz/crashes/ -print_final_stats=1 .build-fuzz/corpus Tests/Fuzz/corpus
