extension ScalarSignatures {
    /// Functions about places on earth and in networks
    /// (https://learn.microsoft.com/kusto/query/scalar-functions#geospatial-functions).
    static let places = """
        __geo_length_to_s2cell_level(number): int
        __geo_line_s2cell_covering_level(dynamic): int
        __geo_line_validate(dynamic): string
        __geo_polygon_s2cell_covering_level(dynamic): int
        __geo_polygon_validate(dynamic): string
        __ipv6_lookup_ranges(scalar, dynamic): dynamic
        format_ipv4(scalar, long?): string
        format_ipv4_mask(scalar, long): string
        geo_angle(number, number, number, number, number, number): real
        geo_azimuth(number, number, number, number): real
        geo_closest_point_on_line(number, number, dynamic): geoshape
        geo_closest_point_on_polygon(number, number, dynamic): geoshape
        geo_distance_2points(number, number, number, number, scalar?): real
        geo_distance_point_to_line(number, number, dynamic): real
        geo_distance_point_to_polygon(number, number, dynamic): real
        geo_from_wkt(scalar): geoshape
        geo_geohash_neighbors(string): dynamic
        geo_geohash_to_central_point(string): geoshape
        geo_geohash_to_polygon(string): geoshape
        geo_h3cell_children(string, number?): dynamic
        geo_h3cell_level(string): int
        geo_h3cell_neighbors(string): dynamic
        geo_h3cell_parent(string, number?): string
        geo_h3cell_rings(string, number): dynamic
        geo_h3cell_to_central_point(string): geoshape
        geo_h3cell_to_polygon(string): geoshape
        geo_info_from_ip_address(string): dynamic
        geo_intersection_2lines(dynamic, dynamic): geoshape
        geo_intersection_2polygons(dynamic, dynamic): geoshape
        geo_intersection_line_with_polygon(dynamic, dynamic): geoshape
        geo_intersects_2lines(dynamic, dynamic): bool
        geo_intersects_2polygons(dynamic, dynamic): bool
        geo_intersects_line_with_polygon(dynamic, dynamic): bool
        geo_line_buffer(dynamic, number, number?): geoshape
        geo_line_centroid(dynamic): geoshape
        geo_line_densify(dynamic, number?, scalar?): geoshape
        geo_line_interpolate_point(dynamic, number): geoshape
        geo_line_length(dynamic): real
        geo_line_locate_point(dynamic, number, number, scalar?): real
        geo_line_simplify(dynamic, number?): geoshape
        geo_line_to_s2cells(dynamic, number?, number?): dynamic
        geo_point_buffer(number, number, number, number?): geoshape
        geo_point_in_circle(number, number, number, number, number): bool
        geo_point_in_polygon(number, number, dynamic): bool
        geo_point_to_geohash(number, number, number?): string
        geo_point_to_h3cell(number, number, number?): string
        geo_point_to_s2cell(number, number, number?): string
        geo_polygon_area(dynamic): real
        geo_polygon_buffer(dynamic, number, number?): geoshape
        geo_polygon_centroid(dynamic): geoshape
        geo_polygon_densify(dynamic, number?, scalar?): geoshape
        geo_polygon_perimeter(dynamic): real
        geo_polygon_simplify(dynamic, number?): geoshape
        geo_polygon_to_h3cells(dynamic, number?, number?): dynamic
        geo_polygon_to_s2cells(dynamic, number?, number?): dynamic
        geo_s2cell_neighbors(string): dynamic
        geo_s2cell_to_central_point(string): geoshape
        geo_s2cell_to_polygon(string): geoshape
        geo_simplify_polygons_array(dynamic, number?): geoshape
        geo_union_lines_array(dynamic): geoshape
        geo_union_polygons_array(dynamic): geoshape
        has_any_ipv4(scalar, dynamic): bool
        has_any_ipv4(scalar, string+): bool
        has_any_ipv4_prefix(scalar, dynamic): bool
        has_any_ipv4_prefix(scalar, string+): bool
        has_ipv4(scalar, string): bool
        has_ipv4_prefix(scalar, string): bool
        ipv4_compare(string, string, long?): long
        ipv4_is_in_any_range(scalar, dynamic): bool
        ipv4_is_in_any_range(scalar, string+): bool
        ipv4_is_in_range(string, string): bool
        ipv4_is_match(string, string, long?): bool
        ipv4_is_private(string): bool
        ipv4_netmask_suffix(string): long
        ipv4_range_to_cidr_list(string, string): dynamic
        ipv6_compare(string, string, long?): long
        ipv6_is_in_any_range(scalar, dynamic): bool
        ipv6_is_in_any_range(scalar, string+): bool
        ipv6_is_in_range(string, string): bool
        ipv6_is_match(string, string, long?): bool
        parse_ipv4(string): long
        parse_ipv4_mask(string, long): long
        parse_ipv6(string): string
        parse_ipv6_mask(string, long): string
        """
}
