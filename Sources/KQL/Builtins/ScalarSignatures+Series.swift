extension ScalarSignatures {
    /// Functions over series (https://learn.microsoft.com/kusto/query/scalar-functions#series-processing-functions).
    static let series = """
        series_abs(dynamic): arg0
        series_acos(dynamic): dynamic
        series_add(dynamic, dynamic): dynamic
        series_add(dynamic, number): dynamic
        series_add(number, dynamic): dynamic
        series_asin(dynamic): dynamic
        series_atan(dynamic): dynamic
        series_ceiling(dynamic): arg0
        series_cos(dynamic): dynamic
        series_cosine_similarity(dynamic, dynamic, real?, real?): real
        series_decompose(dynamic, integer?, string?, integer?, number?): dynamic
        series_decompose_anomalies(dynamic, number?, integer?, string?, integer?, string?, number?): dynamic
        series_decompose_forecast(dynamic, integer, integer?, string?, number?): dynamic
        series_divide(dynamic, dynamic): dynamic
        series_divide(dynamic, number): dynamic
        series_divide(number, dynamic): dynamic
        series_dot_product(dynamic, dynamic): real
        series_dot_product(dynamic, number): real
        series_dot_product(number, dynamic): real
        series_equals(dynamic, dynamic): dynamic
        series_equals(dynamic, number): dynamic
        series_equals(number, dynamic): dynamic
        series_exp(dynamic): dynamic
        series_fft(dynamic, dynamic?): dynamic
        series_fill_backward(dynamic, number?): arg0  @first
        series_fill_const(dynamic, number, number?): arg0  @first
        series_fill_forward(dynamic, number?): arg0  @first
        series_fill_linear(dynamic, number?, bool?, number?): arg0  @first
        series_fir(dynamic, dynamic, bool?, bool?): dynamic  @first
        series_fit_2lines(dynamic): dynamic
        series_fit_2lines_dynamic(dynamic): dynamic
        series_fit_line(dynamic): dynamic
        series_fit_line_dynamic(dynamic): dynamic
        series_fit_poly(dynamic, scalar?, scalar?): dynamic
        series_floor(dynamic): dynamic
        series_greater(dynamic, dynamic): dynamic
        series_greater(dynamic, number): dynamic
        series_greater(number, dynamic): dynamic
        series_greater_equals(dynamic, dynamic): dynamic
        series_greater_equals(dynamic, number): dynamic
        series_greater_equals(number, dynamic): dynamic
        series_ifft(dynamic, dynamic?): dynamic
        series_iir(dynamic, dynamic, dynamic): dynamic  @first
        series_less(dynamic, dynamic): dynamic
        series_less(dynamic, number): dynamic
        series_less(number, dynamic): dynamic
        series_less_equals(dynamic, dynamic): dynamic
        series_less_equals(dynamic, number): dynamic
        series_less_equals(number, dynamic): dynamic
        series_log(dynamic): dynamic
        series_magnitude(dynamic): real
        series_multiply(dynamic, dynamic): dynamic
        series_multiply(dynamic, number): dynamic
        series_multiply(number, dynamic): dynamic
        series_not_equals(dynamic, dynamic): dynamic
        series_not_equals(dynamic, number): dynamic
        series_not_equals(number, dynamic): dynamic
        series_outliers(dynamic, string, real, real, real?, integer?): arg0  @first
        series_outliers(dynamic, string?, number?): arg0  @first
        series_pearson_correlation(dynamic, dynamic): real
        series_periods_detect(dynamic, number, number, integer): dynamic
        series_periods_validate(dynamic, number+): dynamic
        series_pow(dynamic, dynamic): dynamic
        series_pow(dynamic, number): dynamic
        series_pow(number, dynamic): dynamic
        series_product(dynamic): real
        series_seasonal(dynamic): dynamic
        series_seasonal(dynamic, integer): dynamic
        series_seasonal(dynamic, integer, integer): dynamic
        series_sign(dynamic): dynamic
        series_sin(dynamic): dynamic
        series_stats(dynamic, bool?): dynamic
        series_stats_dynamic(dynamic, bool?): dynamic
        series_subtract(dynamic, dynamic): dynamic
        series_subtract(dynamic, number): dynamic
        series_subtract(number, dynamic): dynamic
        series_sum(dynamic): real
        series_tan(dynamic): dynamic
        """
}
