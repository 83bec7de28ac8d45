/// The signatures of Kusto's aggregation functions, in the form of `ScalarSignatures`.
package enum AggregateSignatures {
    package static let lines = """
        any(scalar*): arg0  @any
        anyif(scalar, bool): arg0  @anyif+first
        arg_max(scalar, scalar*): arg0
        arg_min(scalar, scalar*): arg0
        argmax(scalar, scalar*): arg0
        argmin(scalar, scalar*): arg0
        avg(scalar): avg  @avg+first
        avgif(scalar, bool): avg  @avgif+first
        binary_all_and(summable): arg0  @first
        binary_all_or(summable): arg0  @first
        binary_all_xor(summable): arg0  @first
        buildschema(dynamic): dynamic  @schema+first
        cnt(): long  @cnt+first
        count(): long  @count+first
        count(bool): long  @count+first
        count_distinct(scalar): long  @count_distinct+first
        count_distinctif(scalar, bool): long  @count_distinctif+first
        countif(bool): long  @countif+first
        covariance(summable, summable): real  @covariance+first
        covarianceif(summable, summable, bool): real  @covarianceif+first
        covariancep(summable, summable): real  @covariancep+first
        covariancepif(summable, summable, bool): real  @covariancepif+first
        dcount(scalar, scalar?): long  @dcount+first
        dcountif(scalar, bool, scalar?): long  @dcountif+first
        hll(scalar, integer?): dynamic  @hll+first
        hll_if(scalar, bool, integer?): dynamic  @hll_if+first
        hll_merge(dynamic): dynamic  @hll_merge+first
        make_bag(dynamic, integer?): dynamic  @bag+first
        make_bag_if(dynamic, bool, integer?): dynamic  @bag+first
        make_dictionary(dynamic, integer?): dynamic  @dictionary+first
        make_list(scalar, integer?): dynamic  @list+first
        make_list_if(scalar, bool, integer?): dynamic  @list+first
        make_list_with_nulls(scalar): dynamic  @list+first
        make_set(scalar, integer?): dynamic  @set+first
        make_set_if(scalar, bool, integer?): dynamic  @set+first
        makelist(scalar, integer?): dynamic  @list+first
        makeset(scalar, integer?): dynamic  @set+first
        max(scalar): arg0  @max+first
        maxif(scalar, bool): arg0  @maxif+first
        merge_tdigest(dynamic): dynamic  @merge_tdigests+first
        min(scalar): arg0  @min+first
        minif(scalar, bool): arg0  @minif+first
        passthrough(scalar): arg0  @first
        percentile(scalar, number): percentile
        percentiles(scalar, number+): percentile
        percentiles_array(scalar, any+): dynamic  @percentiles+first
        percentilesw(scalar, scalar, number+): percentile
        percentilesw_array(scalar, scalar, any+): dynamic  @percentiles+first
        percentilew(scalar, scalar, number): percentile
        stdev(summable): real  @stdev+first
        stdevif(summable, bool): real  @stdevif+first
        stdevp(summable): real  @stdevp+first
        sum(summable): sum  @sum+first
        sumif(summable, bool): sum  @sumif+first
        take_any(scalar*): arg0
        take_anyif(scalar, bool): arg0  @first
        tdigest(summable, integer?): dynamic  @tdigest+first
        tdigest_merge(dynamic): dynamic  @merge_tdigests+first
        variance(summable): real  @variance+first
        varianceif(summable, bool): real  @varianceif+first
        variancep(summable): real  @variancep+first
        variancepif(summable, bool): real  @variancepif+first
        """
}
