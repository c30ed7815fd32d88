//! Trino's functions that the engine has itself, by Trino's names and the engine's.
//! <https://trino.io/docs/current/functions/list.html>

/// Trino's name and the engine's.
const ENGINE: &[(&str, &str)] = &[
    ("abs", "abs"),
    ("acos", "acos"),
    ("any_match", "array_any_match"),
    ("any_value", "any_value"),
    ("approx_distinct", "approx_distinct"),
    ("arbitrary", "any_value"),
    ("array_agg", "array_agg"),
    ("array_distinct", "array_distinct"),
    ("array_except", "array_except"),
    ("array_intersect", "array_intersect"),
    ("array_union", "array_union"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("avg", "avg"),
    ("bitwise_and_agg", "bit_and"),
    ("bitwise_or_agg", "bit_or"),
    ("bitwise_xor_agg", "bit_xor"),
    ("bool_and", "bool_and"),
    ("bool_or", "bool_or"),
    ("cbrt", "cbrt"),
    ("char_length", "character_length"),
    ("character_length", "character_length"),
    ("coalesce", "coalesce"),
    ("concat", "$concat"),
    ("corr", "corr"),
    ("cos", "cos"),
    ("cosh", "cosh"),
    ("count", "count"),
    ("covar_pop", "covar_pop"),
    ("covar_samp", "covar_samp"),
    ("cume_dist", "cume_dist"),
    ("current_date", "current_date"),
    ("current_time", "current_time"),
    ("current_timestamp", "now"),
    ("degrees", "degrees"),
    ("dense_rank", "dense_rank"),
    ("every", "bool_and"),
    ("exp", "exp"),
    ("filter", "array_filter"),
    ("first_value", "first_value"),
    ("flatten", "flatten"),
    ("grouping", "grouping"),
    ("lag", "lag"),
    ("last_value", "last_value"),
    ("lead", "lead"),
    ("ln", "ln"),
    ("localtimestamp", "now"),
    ("log10", "log10"),
    ("log2", "log2"),
    ("lower", "lower"),
    ("ltrim", "$ltrim"),
    ("map", "$map"),
    ("map_keys", "map_keys"),
    ("map_values", "map_values"),
    ("max", "max"),
    ("min", "min"),
    ("mod", "$modulo"),
    ("now", "now"),
    ("nth_value", "nth_value"),
    ("ntile", "ntile"),
    ("nullif", "nullif"),
    ("percent_rank", "percent_rank"),
    ("pi", "pi"),
    ("radians", "radians"),
    ("rand", "random"),
    ("random", "random"),
    ("rank", "rank"),
    ("regr_intercept", "regr_intercept"),
    ("regr_slope", "regr_slope"),
    ("repeat", "$repeat"),
    ("reverse", "$reverse"),
    ("row_number", "row_number"),
    ("rtrim", "$rtrim"),
    ("sin", "sin"),
    ("sinh", "sinh"),
    ("sqrt", "sqrt"),
    ("starts_with", "starts_with"),
    ("stddev", "stddev_samp"),
    ("stddev_pop", "stddev_pop"),
    ("stddev_samp", "stddev_samp"),
    ("substring", "substr"),
    ("sum", "sum"),
    ("tan", "tan"),
    ("tanh", "tanh"),
    ("transform", "array_transform"),
    ("trim", "$trim"),
    ("upper", "upper"),
    ("uuid", "uuid"),
    ("var_pop", "var_pop"),
    ("var_samp", "var_samp"),
    ("variance", "var_samp"),
];

/// Functions of the engine that rewriting leaves behind.
pub const INTERNAL: &[&str] = &["array_any_match", "get_field", "make_array", "row"];

/// Functions that need an OVER clause.
pub const WINDOWS: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// The engine's name of a function.
pub fn engine(name: &str) -> Option<&'static str> {
    ENGINE.binary_search_by_key(&name, |(trino, _)| trino).ok().map(|at| ENGINE[at].1)
}

/// Trino's name of a function of the engine.
pub fn trinos(name: &str) -> String {
    if super::functions::has(name) && !name.starts_with('$') {
        return name.to_owned();
    }
    let found = ENGINE.iter().find(|(_, engine)| *engine == name).map(|(trino, _)| *trino);
    match (name, found) {
        ("var" | "var_samp", _) => "variance".into(),
        ("stddev_samp", _) => "stddev".into(),
        (_, Some(trino)) => trino.into(),
        (other, None) => other.trim_start_matches('$').into(),
    }
}

/// Whether Trino has the function and we have not.
pub fn missing(name: &str) -> bool {
    const FAMILIES: &[&str] = &[
        "st_",
        "bing_tile",
        "geometry_",
        "to_geo",
        "from_geo",
        "simplify_",
        "great_circle",
        "spatial_",
        "json_",
        "approx_set",
        "merge",
        "qdigest",
        "tdigest",
        "value_at_",
        "values_at_",
        "quantile",
        "learn_",
        "classify",
        "regress",
        "features",
        "hash_counts",
        "hmac_",
        "spooky",
        "murmur",
        "xxhash",
        "inverse_",
        "intersection_",
        "jaccard_",
        "make_set_digest",
        "numeric_histogram",
        "convex_hull",
        "wilson_",
        "beta_",
        "t_cdf",
        "t_pdf",
        "render",
        "bar",
        "color",
        "rgb",
        "normalize",
        "word_stem",
        "parse_data",
        "parse_presto",
        "regr_",
        "reduce_agg",
        "char2hexint",
        "to_ieee",
        "from_ieee",
        "to_big_endian",
        "from_big_endian",
        "contains_ip",
        "ip_prefix",
        "empty_approx",
        "cardinality_",
        "multimap_agg_",
        "bitwise_right_shift_arithmetic",
        "euclidean_",
        "dot_product",
        "cosine_",
        "normal_",
        "version",
        "shuffle",
        "index",
        "array_histogram",
        "convert_",
        "line_",
        "sketch",
        "dow_",
        "week_",
        "theta_",
        "unnest_",
        "current_catalog",
        "current_path",
        "current_schema",
        "current_user",
        "format_number",
        "from_unixtime_nanos",
        "localtime",
    ];
    FAMILIES.iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_both_ways() {
        assert!(ENGINE.is_sorted());
        assert_eq!(engine("any_match"), Some("array_any_match"));
        assert_eq!(engine("left"), None);
        assert_eq!(trinos("array_any_match"), "any_match");
        assert_eq!(trinos("$modulo"), "mod");
        assert!(missing("st_point") && !missing("nosuch"));
    }
}
