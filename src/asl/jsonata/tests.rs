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
