//! Values from jsonata.org's documentation and the AWS guide; causes as AWS words them.

use serde_json::{Value, json};

use super::*;
use crate::asl::scope::{Chance, Context as Surroundings, Variables};

fn evaluate(source: &str, input: Value) -> Result<Value, Failure> {
    let chance = Chance::new(7);
    let now = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let context = Surroundings::new(&chance, now, || json!({"Execution": {"Name": "run"}}));
    let variables = Variables::from([("n".to_owned(), json!(5))]);
    Query::parse(source).unwrap().value("Output/r", &Scope::new(&input, &variables, &context))
}

fn cause(source: &str, input: Value) -> String {
    let failure = evaluate(source, input).unwrap_err();
    assert_eq!(failure.error.as_deref(), Some("States.QueryEvaluationError"));
    assert_eq!(failure.location.as_deref(), Some("Output/r"));
    failure.cause.unwrap()
}

#[test]
fn sees_states_and_variables() {
    assert_eq!(evaluate("$states.input.a & '-' & $n", json!({"a": "x"})), Ok(json!("x-5")));
    assert_eq!(evaluate("$states.context.Execution.Name", json!({})), Ok(json!("run")));
    assert_eq!(
        evaluate("$states", json!(1)),
        Ok(json!({"input": 1, "context": {"Execution": {"Name": "run"}}}))
    );
    assert_eq!(evaluate("$states.input[a > 1].b", json!([{"a": 1, "b": 2}, {"a": 2, "b": 3}])), Ok(json!(3)));
    assert_eq!(evaluate("$exists($states.result)", json!({})), Ok(json!(false)));
    assert_eq!(evaluate("$states.input.n + 1", json!({"n": 1.5})), Ok(json!(2.5)));
    assert_eq!(evaluate("{'whole': 2 * 1.5}", json!({})), Ok(json!({"whole": 3})));
}

/// The functions of the guide's section "JSONata functions provided by Step Functions".
#[test]
fn has_the_functions_that_are_added() {
    assert_eq!(evaluate("$partition([1,2,3,4,5], 2)", json!({})), Ok(json!([[1, 2], [3, 4], [5]])));
    assert_eq!(evaluate("$range(0, 10, 3)", json!({})), Ok(json!([0, 3, 6, 9])));
    assert_eq!(evaluate("$range(1, 9, 9)", json!({})), Ok(json!(1)));
    assert_eq!(evaluate("$range(5, 1, -2)", json!({})), Ok(json!([5, 3, 1])));
    let abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
    assert_eq!(evaluate("$hash('abc', 'SHA-1')", json!({})), Ok(json!(abc)));
    assert_eq!(evaluate("$parse('{\"a\": [1, true]}').a[0]", json!({})), Ok(json!(1)));
    assert_eq!(evaluate("$map(['[1]', '2'], $parse)", json!({})), Ok(json!([[1], 2])));
    assert_eq!(evaluate("$length($uuid())", json!({})), Ok(json!(36)));
    assert_eq!(evaluate("$random(3) = $random(3)", json!({})), Ok(json!(true)));
    assert_eq!(evaluate("$random() < 1", json!({})), Ok(json!(true)));
    assert_eq!(evaluate("$now()", json!({})), Ok(json!("2026-01-01T00:00:00.000Z")));
    assert_eq!(evaluate("$now('[Y0001]/[M01]')", json!({})), Ok(json!("2026/01")));
    assert_eq!(evaluate("$pad('x', -3, '0')", json!({})), Ok(json!("00x")));
    assert_eq!(evaluate("$count($shuffle([1..9]))", json!({})), Ok(json!(9)));
}

/// An integer of 64 bits is handed on as it is and a larger one becomes floating point; a whole number has no
/// fraction (measured on AWS with `$parse` and `$states.input`).
#[test]
fn whole_numbers_are_handed_on_unchanged() {
    for text in [
        "1234567890123456789",
        "-1234567890123456789",
        "9007199254740993",
        "-9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        // Neighbours that floating point does not tell apart.
        "[9007199254740991,9007199254740992,9007199254740993,9007199254740994,9007199254740995]",
        "[1234567890123456787,1234567890123456788,1234567890123456789,1234567890123456790]",
        "[9223372036854775804,9223372036854775805,9223372036854775806,9223372036854775807]",
        r#"{"id":1234567890123456789,"list":[{"id":1234567890123456788}]}"#,
    ] {
        let given = |input: Value, source: &str| evaluate(source, input).unwrap().to_string();
        let input: Value = serde_json::from_str(text).unwrap();
        assert_eq!(given(json!({"v": input}), "$states.input.v"), text);
        assert_eq!(given(json!({"v": text}), "$parse($states.input.v)"), text);
    }
    let input =
        json!({"n": 9_007_199_254_740_993_i64, "list": [{"id": 7}, {"id": 1_234_567_890_123_456_789_i64}]});
    assert_eq!(
        evaluate("$states.input.list[id > 8].id", input.clone()),
        Ok(json!(1_234_567_890_123_456_789_i64))
    );
    assert_eq!(evaluate("$states.input.n > 9007199254740991", input.clone()), Ok(json!(true)));
    for (source, written) in [
        ("$parse('9223372036854775808')", "9.223372036854776E18"),
        (
            "[$parse('9223372036854775807'), $parse('9223372036854775808')]",
            "[9223372036854775807,9.223372036854776E18]",
        ),
        ("$parse('123456789012345678901234567890')", "1.2345678901234568E29"),
        ("[$parse('1.0'), $parse('1e2'), $parse('1.5'), $parse('1e17')]", "[1,100,1.5,100000000000000000]"),
        ("9007199254740992 * 2", "18014398509481984"),
    ] {
        let written: Value = serde_json::from_str(written).unwrap();
        assert_eq!(evaluate(source, input.clone()), Ok(written), "{source}");
    }
}

/// Operators and functions calculate in 64-bit floating point (jsonata.org, "Numeric operators"; IEEE 754, ties to
/// even), whatever stands beside the number; what is only handed on stays as it is. By hand: 2^53 + 1 is nearest
/// to 2^53, 2^53 + 3 to 2^53 + 4; the sum is rounded to multiples of 4, then of 8.
#[test]
fn calculations_with_large_whole_numbers_are_floating_point() {
    let input: Value = serde_json::from_str(
        r#"{"a": 9007199254740993, "b": 9007199254740992, "c": 9007199254740995,
            "ids": [9007199254740992, 9007199254740993, 9007199254740994, 9007199254740995]}"#,
    )
    .unwrap();
    for (source, expected) in [
        ("$states.input.a - $states.input.b", "0"),
        ("$states.input.a + 1", "9007199254740992"),
        ("$states.input.a + 0", "9007199254740992"),
        ("$states.input.b + 1", "9007199254740992"),
        ("-$states.input.a", "-9007199254740992"),
        ("$states.input.a * 2", "18014398509481984"),
        ("$states.input.c - $states.input.a", "4"),
        ("$states.input.a = $states.input.b", "true"),
        ("$states.input.a > $states.input.b", "false"),
        ("$states.input.a in [9007199254740992]", "true"),
        (
            "{'id': $states.input.a, 'n': $states.input.a + 0}",
            r#"{"id":9007199254740993,"n":9007199254740992}"#,
        ),
        ("[$states.input.a, 9007199254740992]", "[9007199254740993,9007199254740992]"),
        ("$sum($states.input.ids)", "36028797018963968"),
        ("$max($states.input.ids)", "9007199254740996"),
        ("$states.input.ids ~> $max", "9007199254740996"),
        ("$string($states.input.a)", r#""9007199254740992""#),
        ("'x' & $states.input.c", r#""x9007199254740996""#),
        (
            "$map($states.input.ids, $string)",
            r#"["9007199254740992","9007199254740992","9007199254740994","9007199254740996"]"#,
        ),
        (
            "$states.input.ids.$string()",
            r#"["9007199254740992","9007199254740992","9007199254740994","9007199254740996"]"#,
        ),
        ("$string([$states.input.a])", r#""[9007199254740992]""#),
        ("$states.input.ids[$ > 9007199254740994]", "9007199254740995"),
        (
            "$filter($states.input.ids, function($v) { $v = 9007199254740992 })",
            "[9007199254740992,9007199254740993]",
        ),
        ("$number('9007199254740993')", "9007199254740992"),
        ("$floor($states.input.a / 1000)", "9007199254740"),
        ("$reverse($states.input.ids)[0]", "9007199254740995"),
    ] {
        let given = evaluate(source, input.clone()).map(|value| value.to_string());
        assert_eq!(given.as_deref(), Ok(expected), "{source}");
    }
}

/// What AWS was measured to give where its guide is silent; `None` is undefined. Seeded numbers are those of
/// `java.util.Random`, whose first `nextDouble` for 42, 0 and 7 is well known.
#[test]
fn the_added_functions_at_their_edges() {
    let rows: &[(&str, Option<Value>)] = &[
        ("$partition([1,2,3,4,5], 2.9)", Some(json!([[1, 2], [3, 4], [5]]))),
        ("$partition([1,2,3])", Some(json!([[1, 2, 3]]))),
        ("$partition([1,2,3], $nothing)", Some(json!([[1, 2, 3]]))),
        ("$partition([], $nothing)", Some(json!([[]]))),
        ("$partition([], 2)", None),
        ("$partition([1,2,3], 0)", None),
        ("$partition([1,2,3], -0.5)", None),
        ("$partition($nothing, 2)", None),
        ("$range(1.7, 5, 1)", Some(json!([1, 2, 3, 4, 5]))),
        ("$range(-1.7, 2, 1)", Some(json!([-1, 0, 1, 2]))),
        ("$range(5, 1, -1.5)", Some(json!([5, 4, 3, 2, 1]))),
        ("$range(3, 3, 1)", Some(json!(3))),
        ("[$range(3, 0, 1)]", Some(json!([]))),
        ("$range(5, 1, 1)", None),
        ("$range(1, 5, 0)", None),
        ("$range(1, 10, 0.49)", None),
        ("$range(1, 5)", None),
        ("$range($nothing, 3, 1)", None),
        ("$count($range(1, 360145, 1))", Some(json!(360_145))),
        ("$hash('a')", None),
        ("$hash($nothing, 'MD5')", None),
        ("$hash('ñ', 'MD5')", Some(json!("94e9342ecbb1458b6043ecd3bfcbc192"))),
        ("$parse()", None),
        ("$exists($parse('null'))", Some(json!(true))),
        ("$random(42)", Some(json!(0.727_563_680_032_868_1))),
        ("$random(0)", Some(json!(0.730_967_787_376_657))),
        ("$random(7.9)", Some(json!(0.730_699_042_060_042_1))),
        ("$map(['{\"a\":1}', '{\"a\":2}'], $parse).a", Some(json!([1, 2]))),
        ("($parse := function($a, $b) { $b }; $parse('{}', 'x'))", Some(json!("x"))),
    ];
    for (source, expected) in rows {
        let found = evaluate(source, json!({})).map_err(|failure| failure.cause.unwrap());
        match (found, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, *expected, "{source}"),
            (Err(cause), None) => {
                assert!(cause.ends_with("returned nothing (undefined)."), "{source}: {cause}")
            }
            (found, _) => panic!("{source}: {found:?}"),
        }
    }
    for (source, said) in [
        ("$partition([1,2,3], -1)", "D3137: Second argument must be zero or greater"),
        ("$partition(null, 2)", "T0412: Argument 1 of function \"partition\" must be an array of undefined"),
        ("$partition([1,2,3], '2')", "T0410: Argument 2 of function \"partition\""),
        ("$partition([1,2,3], 2, 99)", "T0410: Argument 3 of function \"partition\""),
        ("$range(1)", "T0410: Argument 2 of function \"range\""),
        ("$range('a', 5, 1)", "T0410: Argument 1 of function \"range\""),
        ("$range(1, 5, null)", "T0410: Argument 3 of function \"range\""),
        ("$range(1, 5, 1, 'x')", "T0410: Argument 4 of function \"range\""),
        ("$count($range(1, 360146, 1))", "Expression evaluation memory limit exceeded"),
        (
            "$hash('x', 'md5')",
            "D3137: Hash algorithm 'md5' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5",
        ),
        ("$hash('x', $nothing)", "D3137: Hash algorithm 'null' must be one of"),
        ("$hash('x', 5)", "T0410: Argument 2 of function \"hash\""),
        ("$hash()", "T0410: Argument 1 of function \"hash\""),
        ("$hash('a', 'MD5', 'x')", "T0410: Argument 3 of function \"hash\""),
        ("$parse(null)", "T0410: Argument 1 of function \"parse\""),
        ("$parse('{}', 'x')", "T0410: Argument 2 of function \"parse\""),
        ("$parse('bad')", "D3137: Invalid JSON"),
        ("$parse('')", "D3137: Invalid JSON"),
        ("$parse('[1,2] [3,4]')", "D3137: Invalid JSON"),
        ("$parse('{\"a\":1,\"a\":2}')", "D3137: Invalid JSON"),
        ("$parse('1e400')", "D3137: Invalid JSON"),
        ("$uuid('x')", "T0410: Argument 1 of function \"uuid\""),
        ("$random(1, 2)", "T0410: Argument 2 of function \"random\""),
        ("$random('seed')", "T0410: Argument 1 of function \"random\""),
    ] {
        let cause = cause(source, json!({}));
        assert!(cause.contains(&format!(" {said}")), "{source}: {cause}");
    }
}

/// Functions that stand in for others give what those give (jsonata.org: "Array functions", "Object
/// functions"), and do so for long arrays in no time.
#[test]
fn functions_that_compare_each_with_each_are_hastened() {
    let rows = [
        ("$distinct([1, 2, 1, '1', true, [1], [1], null, null])", json!([1, 2, "1", true, [1], null])),
        (
            "$distinct([{'a': 1, 'b': [2]}, {'b': [2], 'a': 1}, {'a': 1}])",
            json!([{"a": 1, "b": [2]}, {"a": 1}]),
        ),
        ("$distinct(5)", json!(5)),
        ("$distinct([7])", json!([7])),
        ("$distinct($states.input.n)", json!([3, 4])),
        ("$map([[1, 1], [2]], $distinct)", json!([[1], [2]])),
        ("[1, 1, 2] ~> $distinct", json!([1, 2])),
        ("$keys({'a': 1, 'b': 2})", json!(["a", "b"])),
        ("$keys([{'b': 1, 'a': 2}, 5, {'a': 3, 'c': 4}])", json!(["b", "a", "c"])),
        ("$keys({'a': 1})", json!("a")),
        ("$exists($keys([1, 2]))", json!(false)),
        ("$count($distinct([1..500000]))", json!(500_000)),
        ("$count($keys([1..5000].{$string($): 1}))", json!(5000)),
    ];
    for (source, expected) in rows {
        assert_eq!(evaluate(source, json!({"n": [3, 4, 3]})), Ok(expected), "{source}");
    }
}

#[test]
fn says_what_went_wrong_in_awss_words() {
    let of = |source: &str, what: &str| {
        format!("The JSONata expression '{source}' specified for the field 'Output/r' {what}")
    };
    let threw = "threw an error during evaluation";
    for (source, what) in [
        ("$missing", "returned nothing (undefined).".to_owned()),
        ("$states.input.nothing", "returned nothing (undefined).".to_owned()),
        ("function($x){$x}", "returned an unsupported result type.".to_owned()),
        ("$eval('1+1')", format!("{threw}. T1006: Attempted to invoke a non-function")),
        ("$randomSeeded(1)", format!("{threw}. T1006: Attempted to invoke a non-function")),
        (
            "$sum('a')",
            format!("{threw}. T0412: Argument 1 of function \"sum\" must be an array of \"numbers\""),
        ),
        (
            "$abs('a')",
            format!("{threw}. T0410: Argument 1 of function \"abs\" does not match function signature"),
        ),
        (
            "1 + 'a'",
            format!("{threw}. T2002: The right side of the \"+\" operator must evaluate to a number"),
        ),
        ("$number('x')", format!("{threw}. D3030: Unable to cast value to a number: \"x\"")),
        (
            "[1..900000] ~> $count()",
            format!("{threw}: Expression evaluation memory limit exceeded: Check for excessive memory usage"),
        ),
        (
            "($f := function($x){ 1 + $f($x) }; $f(1))",
            format!(
                "{threw}: Stack overflow error: Check for non-terminating recursive function. Consider rewriting as \
                 tail-recursive."
            ),
        ),
    ] {
        assert_eq!(cause(source, json!({})), of(source, &what));
    }
}

/// Texts that double, values that share their parts, and wide paddings end in AWS's memory error.
#[test]
fn memory_is_bounded() {
    for source in [
        "($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 60)))",
        "($p := function($s, $n) { $n = 0 ? $s : $p($join([$s, $s]), $n - 1) }; $length($p('x', 60)))",
        "$reduce([1..60], function($a, $i) { {'a': $a, 'b': $a} })",
        "$pad('x', 10000000000)",
        "$range(1, 1000000000, 1)",
    ] {
        assert!(cause(source, json!({})).contains("memory limit exceeded"), "{source}");
    }
    let kept = "($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 10)))";
    assert_eq!(evaluate(kept, json!({})), Ok(json!(1024)));
}

/// The parser's messages, as AWS shows them at definition time: without their codes.
#[test]
fn syntax_errors_read_as_awss() {
    for (source, message) in [
        ("a[1,2)", "Expected \"]\", got \",\""),
        ("\"unterminated", "String literal must be terminated by a matching quote"),
        ("1 +", "Unexpected end of expression"),
        ("{\"a\":}", "The symbol \"}\" cannot be used as a unary operator"),
        ("$x :=", "Unexpected end of expression"),
        ("$a ?? 1", "The symbol \"?\" cannot be used as a unary operator"),
        ("$a ?: 1", "The symbol \":\" cannot be used as a unary operator"),
        ("$match(\"a\", /abc", "No terminating / in regular expression"),
    ] {
        assert_eq!(Query::parse(source).unwrap_err(), message, "{source}");
    }
}

#[test]
fn names_without_a_context_are_found() {
    let unbound = |source: &str| Query::parse(source).unwrap().unbound().to_vec();
    assert_eq!(unbound("phone"), ["phone"]);
    assert_eq!(unbound("{'a': phone.number, 'b': $n + fax}"), ["phone", "fax"]);
    assert_eq!(unbound("$states.input.phone[type = 'x'].(number & ext)"), [] as [&str; 0]);
    assert_eq!(unbound("$map($states.input, function($v) { $v.name })"), [] as [&str; 0]);
    assert_eq!(unbound("$n ~> |$|{'a': b}|"), [] as [&str; 0]);
}

#[test]
fn variables_are_those_it_does_not_bind() {
    let query = Query::parse("($a := $b + 1; $map($c, function($x) { $x + $a + $states.input.d }))").unwrap();
    assert_eq!(query.variables().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn braces_must_enclose_the_whole_text() {
    assert_eq!(source("{% 1 + 1 %}"), Some("1 + 1"));
    assert_eq!(source(" {% 1 %}"), None);
    assert!(is_broken(" {% 1 %}") && is_broken("{% 1"));
    assert!(!is_broken(" {% 1 %} ") && !is_broken("a"));
}
