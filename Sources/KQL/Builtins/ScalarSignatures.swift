/// The signatures of Kusto's scalar functions, one overload a line: `name(parameter types): result  @naming`.
///
/// A parameter type may be a scalar type or a class of them (`number`, `integer`, `summable`, `scalar`, `any`, `type`);
/// `?` means optional, `+` one or more (up to a number that may follow), `*` any number. A result `arg0` is the type
/// of the first argument, `common` and
/// `widest` what the arguments have in common, `lit1` the type that the second argument names. The naming after `@`
/// says what an unnamed result column is called. Source: the functions' pages of the Kusto reference.
package enum ScalarSignatures {
    package static let lines = [common, series, places].joined(separator: "\n")

    /// Those of no family below.
    private static let common = """
        __cast(type, scalar): lit0
        __hash_crc32(scalar, integer, integer): long
        __hash_djb2(scalar, integer?): long
        __hash_many_crc32(scalar+): long
        __hash_xxh64(scalar, integer, integer): long
        __hll_normalize(dynamic+): dynamic  @first
        __invoke(string, type, any*): lit1
        __lz4_compress_dynamic_array_to_base64_string(dynamic): string
        abs(integer): long  @first
        abs(number): arg0  @first
        abs(timespan): timespan  @first
        acos(number): real  @first
        ago(timespan): datetime
        all(scalar, bool): bool
        any(scalar, bool): bool
        around(scalar, scalar, scalar): bool
        array_concat(dynamic+64): dynamic
        array_iff(dynamic, scalar, scalar): dynamic
        array_iif(dynamic, scalar, scalar): dynamic
        array_index_of(dynamic, scalar, integer?, integer?, integer?): long
        array_length(dynamic): long
        array_reverse(dynamic): arg0
        array_rotate_left(dynamic, integer): arg0
        array_rotate_right(dynamic, integer): arg0
        array_shift_left(dynamic, integer, scalar?): arg0
        array_shift_right(dynamic, integer, scalar?): arg0
        array_slice(dynamic, integer, integer): arg0
        array_sort_asc(scalar+): dynamic
        array_sort_desc(scalar+): dynamic
        array_split(dynamic, dynamic): arg0
        array_split(dynamic, integer): arg0
        array_strcat(dynamic, scalar): string
        array_sum(dynamic): real
        arraylength(dynamic): long
        asin(number): real  @first
        assert(bool, string): bool
        atan(number): real  @first
        atan2(number, number): real  @first
        bag_has_key(dynamic, string): bool
        bag_keys(dynamic): dynamic
        bag_merge(dynamic, dynamic+63): dynamic
        bag_pack(any+): dynamic
        bag_pack_columns(scalar+): dynamic
        bag_remove_keys(dynamic, dynamic): dynamic
        bag_set_key(dynamic, string, any): dynamic
        bag_zip(dynamic, dynamic): dynamic
        base64_decode_toarray(string): dynamic
        base64_decode_toguid(string): guid
        base64_decode_tostring(string): string
        base64_decodestring(string): string
        base64_encode_fromarray(dynamic): string
        base64_encode_fromguid(guid): string
        base64_encode_tostring(string): string
        base64_encodestring(string): string
        beta_cdf(number, number, number): real
        beta_inv(number, number, number): real
        beta_pdf(number, number, number): real
        bin(datetime, datetime): datetime  @first
        bin(datetime, timespan): datetime  @first
        bin(number, number): widest  @first
        bin(timespan, timespan): timespan  @first
        bin_at(datetime, summable, datetime): datetime  @first
        bin_at(number, number, number): widest  @first
        bin_at(timespan, number, timespan): timespan  @first
        bin_at(timespan, timespan, timespan): timespan  @first
        bin_auto(scalar): arg0  @first
        binary_and(integer, integer): long  @first
        binary_not(integer): long  @first
        binary_or(integer, integer): long  @first
        binary_shift_left(integer, integer): long  @first
        binary_shift_right(integer, integer): long  @first
        binary_xor(integer, integer): long  @first
        bitset_count_ones(integer): long  @first
        case(bool+, scalar+, scalar): common
        ceiling(number): real  @first
        coalesce(scalar, scalar+63): common
        column_ifexists(string, scalar): arg1  @value
        column_names_of(table): dynamic
        columnifexists(string, scalar): arg1  @value
        convert_angle(number, string, string): real
        convert_energy(number, string, string): real
        convert_force(number, string, string): real
        convert_length(number, string, string): real
        convert_mass(number, string, string): real
        convert_speed(number, string, string): real
        convert_temperature(number, string, string): real
        convert_volume(number, string, string): real
        cos(number): real  @first
        cot(number): real
        countof(string, string, string?): long
        current_cluster_endpoint(): string
        current_cursor(): string
        current_database(): string
        current_node_id(): string
        current_principal(): string
        current_principal_details(): special
        current_principal_is_member_of(scalar+): bool
        cursor_after(string): bool
        cursor_before_or_at(string): bool
        cursor_current(): string
        cvss_parse(string): dynamic
        cvss_score(string): real
        datepart(string, datetime): long
        datetime_add(string, integer, datetime): datetime
        datetime_diff(string, datetime, datetime): long
        datetime_list_timezones(): dynamic
        datetime_local_to_utc(datetime, string): datetime
        datetime_part(string, datetime): long
        datetime_utc_to_local(datetime, string): datetime
        dayofmonth(datetime): int
        dayofweek(datetime): timespan
        dayofyear(datetime): int
        dcount_hll(dynamic): long  @name+first
        degrees(number): real
        dynamic_to_json(scalar): string
        endofday(datetime, long?): datetime
        endofmonth(datetime, long?): datetime
        endofweek(datetime, long?): datetime
        endofyear(datetime, long?): datetime
        erf(number): real  @first
        erfc(number): real  @first
        estimate_data_size(scalar): long
        estimate_data_size(scalar+): long
        exp(number): real  @first
        exp10(number): real  @first
        exp2(number): real  @first
        extent_id(): guid
        extent_tags(): dynamic
        extentid(): guid
        extract(string, long, string): string
        extract(string, long, string, type): litn
        extract_all(string, dynamic, string): dynamic
        extract_all(string, string): dynamic
        extract_json(string, string): string
        extract_json(string, string, type): litn
        extractall(string, dynamic, string): dynamic
        extractall(string, string): dynamic
        extractjson(string, string): string
        extractjson(string, string, type): litn
        floor(datetime, datetime): datetime  @first
        floor(datetime, timespan): datetime  @first
        floor(number, number): widest  @first
        floor(timespan, timespan): timespan  @first
        format_bytes(number, number?, string?): string  @first
        format_datetime(datetime, string): string  @first
        format_timespan(timespan, string): string  @first
        gamma(number): real  @first
        getmonth(datetime): long
        gettype(scalar): string  @type+first
        getyear(datetime): long
        gzip_compress_to_base64_string(string): string
        gzip_decompress_from_base64_string(string): string
        has_any_index(scalar, dynamic): long
        hash(scalar, integer?): long
        hash_combine(scalar, scalar+): long
        hash_many(scalar+): long
        hash_md5(scalar): string
        hash_sha1(scalar): string
        hash_sha256(scalar): string
        hash_xxhash64(scalar, integer?): long
        hll_isvalid(dynamic, scalar): bool
        hll_merge(dynamic, dynamic+): dynamic  @hll_merged_result
        hourofday(datetime): long
        iff(bool, scalar, scalar): common
        iif(bool, scalar, scalar): common
        indexof(scalar, scalar, integer?, integer?, integer?): long
        indexof_regex(scalar, scalar, integer?, integer?, integer?): long
        ingestion_time(): datetime  @ingestion_time
        inner_nodes(): special
        isascii(scalar): bool
        iscolumnexists(string): bool
        isempty(scalar): bool
        isfinite(real): bool
        isinf(real): bool
        isnan(real): bool
        isnotempty(scalar): bool
        isnotnull(scalar): bool
        isnull(scalar): bool
        isutf8(scalar): bool
        jaccard_index(dynamic, dynamic): real
        labels(scalar?): dynamic
        log(number): real  @first
        log10(number): real  @first
        log2(number): real  @first
        loggamma(number): real  @first
        make_datetime(number, number, number, number?, number?, number?): datetime  @only
        make_datetime(scalar): datetime  @only
        make_string(scalar+): string
        make_timespan(integer, integer, integer, integer): timespan  @only
        make_timespan(integer, integer, integer?): timespan  @only
        make_timespan(scalar): timespan  @only
        map(): special
        max_of(scalar, scalar+63): common
        merge_tdigest(dynamic, dynamic+): dynamic  @tdigests_merge_result
        min_of(scalar, scalar+63): common
        monthofyear(datetime): long
        new_guid(): guid
        next(scalar, long?, scalar?): arg0
        node_degree_in(scalar?): long
        node_degree_out(scalar?): long
        node_id(scalar?): string
        not(bool): bool
        notempty(scalar): bool
        notnull(scalar): bool
        now(timespan?): datetime
        pack(any+): dynamic
        pack_all(bool?): dynamic
        pack_array(any+): dynamic
        pack_dictionary(any+): dynamic
        parse_command_line(scalar, string): dynamic
        parse_csv(scalar): dynamic  @first
        parse_json(scalar): dynamic  @first
        parse_path(string): dynamic
        parse_url(string): dynamic
        parse_urlquery(string): dynamic
        parse_user_agent(string, scalar?): dynamic
        parse_version(string): decimal
        parse_xml(scalar): dynamic  @first
        parsejson(scalar): dynamic  @first
        parseurl(string): dynamic
        parseurlquery(string): dynamic
        percentile_tdigest(dynamic, real): dynamic  @name+first
        percentile_tdigest(dynamic, real, type): litn  @name+first
        percentiles_array_tdigest(dynamic, dynamic): dynamic  @percentile_tdigest+first
        percentiles_array_tdigest(dynamic, real+): dynamic  @percentile_tdigest+first
        percentrank_tdigest(dynamic, scalar): real
        pi(): real
        pow(number, number): real  @first
        prev(scalar, long?, scalar?): arg0
        punycode_domain_from_string(string): string
        punycode_domain_to_string(string): string
        punycode_from_string(string): string
        punycode_to_string(string): string
        radians(number): real
        rand(integer?): real  @first
        range(summable, summable, summable?): dynamic
        rank_tdigest(dynamic, scalar): real
        regex_quote(scalar): string
        repeat(scalar, long): dynamic  @repeat+first
        replace(string, string, string): string
        replace_regex(string, string, string): string
        replace_string(string, string, string): string
        replace_strings(string, dynamic, dynamic): string
        reverse(scalar): string
        round(number, long?): arg0  @first
        row_cumsum(number, bool?): arg0
        row_id(): string
        row_number(long?, bool?): long
        row_rank(scalar, bool?): long
        row_rank_dense(scalar, bool?): long
        row_rank_min(scalar, bool?): long
        row_window_session(datetime, timespan, timespan, bool?): arg0
        rowstore_ordinal_range(): dynamic
        set_difference(dynamic, dynamic+63): dynamic
        set_equals(dynamic, dynamic): bool
        set_has_element(dynamic, scalar): bool
        set_intersect(dynamic, dynamic+63): dynamic
        set_union(dynamic, dynamic+63): dynamic
        sign(number): real
        sin(number): real  @first
        split(scalar, string, integer?): dynamic  @first
        sqrt(number): real  @first
        startofday(datetime, long?): datetime  @first
        startofmonth(datetime, long?): datetime
        startofweek(datetime, long?): datetime
        startofyear(datetime, long?): datetime
        strcat(scalar+64): string
        strcat_array(dynamic, scalar): string
        strcat_delim(scalar, scalar, scalar+63): string
        strcmp(scalar, scalar): long
        string_size(scalar): long  @name+first
        strlen(scalar): long  @name+first
        strrep(scalar, long, scalar?): string
        substring(scalar, integer, integer?): string
        tan(number): real  @first
        tdigest_isvalid(dynamic, scalar): bool
        tdigest_merge(dynamic, dynamic+): dynamic  @tdigests_merge_result
        to_utf8(scalar): dynamic
        tobool(scalar): bool  @first
        toboolean(scalar): bool  @first
        todatetime(scalar): datetime  @first
        todecimal(scalar): decimal  @first
        todouble(scalar): real  @first
        todynamic(string): dynamic  @first
        toguid(scalar): guid  @first
        tohex(integer, integer?): string  @first
        toint(scalar): int  @first
        tolong(scalar): long  @first
        tolower(scalar): string
        toobject(string): dynamic  @first
        toreal(scalar): real  @first
        tostring(scalar): string  @first
        totime(scalar): timespan  @first
        totimespan(scalar): timespan  @first
        toupper(scalar): string
        translate(string, string, string): string
        treepath(dynamic): dynamic  @tree+first
        trim(string, string): string
        trim_end(string, string): string
        trim_start(string, string): string
        unicode_codepoints_from_string(scalar): dynamic
        unicode_codepoints_to_string(scalar+): string
        unixtime_microseconds_todatetime(number): datetime
        unixtime_milliseconds_todatetime(number): datetime
        unixtime_nanoseconds_todatetime(number): datetime
        unixtime_seconds_todatetime(number): datetime
        url_decode(string): string
        url_encode(string): string
        url_encode_component(string): string
        week_of_year(datetime): int
        weekofyear(datetime): int
        welch_test(number, number, number, number, number, number): real
        zip(dynamic, dynamic+63): dynamic
        zlib_compress_to_base64_string(string): string
        zlib_decompress_from_base64_string(string): string
        """
}
