//! The evaluator's messages in the words of JSONata's own reference implementation, which AWS shows. The
//! evaluator keeps the codes; some of its sentences are shorter, name types otherwise or leave out the
//! function: what they leave out is taken from the expression where it can only be one thing.

use super::added::TAKES;
use super::tree::Uses;

/// Sentences that hold no value.
const FIXED: &[(&str, &str)] = &[
    ("T1006", "Attempted to invoke a non-function"),
    ("T1008", "Attempted to partially apply a non-function"),
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("T2006", "The right side of the function application operator ~> must be a function"),
    ("T2008", "The expressions within an order-by clause must evaluate to numeric or string values"),
    ("D1004", "Regular expression matches zero length string"),
    ("D3001", "Attempting to invoke string function on Infinity or NaN"),
    ("D3010", "Second argument of replace function cannot be an empty string"),
    ("D3011", "Fourth argument of replace function must evaluate to a positive number"),
    ("D3012", "Attempted to replace a matched string with a non-string value"),
    ("D3020", "Third argument of split function must evaluate to a positive number"),
    ("D3040", "Third argument of match function must evaluate to a positive number"),
    ("D3050", "The second argument of reduce function must be a function with at least two arguments"),
    ("D3080", "The picture string must only contain a maximum of two sub-pictures"),
    ("D3081", "The sub-picture must not contain more than one instance of the 'decimal-separator' character"),
    ("D3082", "The sub-picture must not contain more than one instance of the 'percent' character"),
    ("D3083", "The sub-picture must not contain more than one instance of the 'per-mille' character"),
    ("D3084", "The sub-picture must not contain both a 'percent' and a 'per-mille' character"),
    (
        "D3085",
        "The mantissa part of a sub-picture must contain at least one character that is either an 'optional digit \
         character' or a member of the 'decimal digit family'",
    ),
    (
        "D3086",
        "The sub-picture must not contain a passive character that is preceded by an active character and that is \
         followed by another active character",
    ),
    (
        "D3087",
        "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a \
         'decimal-separator' character",
    ),
    ("D3088", "The sub-picture must not contain a 'grouping-separator' at the end of the integer part"),
    (
        "D3089",
        "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character",
    ),
    (
        "D3090",
        "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is \
         followed by an instance of the 'optional digit character'",
    ),
    (
        "D3091",
        "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' that \
         is followed by a member of the 'decimal digit family'",
    ),
    (
        "D3092",
        "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as an \
         'exponent-separator'",
    ),
    (
        "D3093",
        "The exponent part of the sub-picture must comprise only of one or more characters that are members of the \
         'decimal digit family'",
    ),
    ("D3138", "The $single() function expected exactly 1 matching result.  Instead it matched more."),
    ("D3139", "The $single() function expected exactly 1 matching result.  Instead it matched 0."),
];

/// What the arguments of the built-in functions must be, in the reference's signature letters.
const SIGNATURES: &[(&str, &[&str])] = &[
    ("sum", &["an"]),
    ("max", &["an"]),
    ("min", &["an"]),
    ("average", &["an"]),
    ("join", &["as", "s"]),
    ("abs", &["n"]),
    ("floor", &["n"]),
    ("ceil", &["n"]),
    ("round", &["n", "n"]),
    ("power", &["n", "n"]),
    ("sqrt", &["n"]),
    ("formatNumber", &["n", "s", "o"]),
    ("formatBase", &["n", "n"]),
    ("formatInteger", &["n", "s"]),
    ("parseInteger", &["s", "s"]),
    ("substring", &["s", "n", "n"]),
    ("substringBefore", &["s", "s"]),
    ("substringAfter", &["s", "s"]),
    ("lowercase", &["s"]),
    ("uppercase", &["s"]),
    ("length", &["s"]),
    ("trim", &["s"]),
    ("pad", &["s", "n", "s"]),
    ("match", &["s", "f", "n"]),
    ("contains", &["s", "x"]),
    ("replace", &["s", "x", "x", "n"]),
    ("split", &["s", "x", "n"]),
    ("map", &["a", "f"]),
    ("filter", &["a", "f"]),
    ("single", &["a", "f"]),
    ("reduce", &["f", "f"]),
    ("each", &["o", "f"]),
    ("sift", &["o", "f"]),
    ("merge", &["ao"]),
    ("keys", &["x"]),
    ("base64encode", &["s"]),
    ("base64decode", &["s"]),
    ("encodeUrl", &["s"]),
    ("encodeUrlComponent", &["s"]),
    ("decodeUrl", &["s"]),
    ("decodeUrlComponent", &["s"]),
    ("toMillis", &["s", "s"]),
    ("fromMillis", &["n", "s", "s"]),
    ("zip", &["a"]),
];

/// `T2001: …` with the reference's sentence behind the code.
pub fn reword(message: &str, uses: &Uses) -> String {
    let Some((code, text)) = message.split_once(": ").filter(|(code, _)| code.len() == 5) else {
        return message.to_owned();
    };
    if let Some((_, fixed)) = FIXED.iter().find(|(known, _)| *known == code) {
        return format!("{code}: {fixed}");
    }
    let quoted = |text: &str| format!("\"{}\"", text.trim_matches(['\'', '"']));
    let after = |mark: &str| text.rsplit_once(mark).map_or("", |(_, value)| value);
    let told = match code {
        "T0410" | "T0411" | "T0412" => signature(code, text, uses),
        "T2001" | "T2002" => {
            let side = if code == "T2001" { "left" } else { "right" };
            let operator = text.split(" operator").next().and_then(|t| t.rsplit(' ').next()).unwrap_or("+");
            Some(format!("The {side} side of the {} operator must evaluate to a number", quoted(operator)))
        }
        "T2009" => uses.comparison().map(|operator| {
            format!(
                "The expressions either side of operator {} must be of the same data type",
                quoted(operator)
            )
        }),
        "T2010" => uses.comparison().map(|operator| {
            format!(
                "The expressions either side of operator {} must evaluate to numeric or string values",
                quoted(operator)
            )
        }),
        "D1002" => Some("Cannot negate a non-numeric value".into()),
        "D3030" => {
            let value = text.strip_prefix("Cannot convert ").and_then(|t| t.strip_suffix(" to number"));
            value.map(|value| match value.strip_prefix('\'') {
                Some(_) => format!("Unable to cast value to a number: {}", quoted(value)),
                None => format!("Unable to cast value to a number: {value}"),
            })
        }
        "D3100" => Some(format!(
            "The radix of the formatBase function must be between 2 and 36.  It was given {}",
            after("got ")
        )),
        _ => None,
    };
    told.map_or_else(|| message.to_owned(), |told| format!("{code}: {told}"))
}

/// The sentence for an argument of the wrong type.
fn signature(code: &str, text: &str, uses: &Uses) -> Option<String> {
    let index = text.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap_or(1);
    let named = text.split_once(" of function ").map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split_whitespace().next()).map(|n| n.trim_matches(['$', '"']));
    // Those of ours say all there is to say.
    if named.is_some_and(|name| TAKES.iter().any(|(ours, _)| *ours == name)) {
        return None;
    }
    let named = named.filter(|name| SIGNATURES.iter().any(|(known, _)| known == name));
    let called = |name: &str| uses.functions.contains(name);
    let fits = |types: &[&str]| {
        types.get(index - 1).is_some_and(|kind| (code == "T0412") == (kind.len() > 1 || *kind == "a"))
    };
    let function = named.or_else(|| {
        SIGNATURES
            .iter()
            .find(|(name, types)| called(name) && index > 0 && fits(types))
            .map(|(name, _)| *name)
    });
    let function = function.or_else(|| {
        let mut known = SIGNATURES.iter().filter(|(name, _)| called(name));
        known.next().map(|(name, _)| *name)
    })?;
    Some(match code {
        "T0411" => {
            format!("Context value is not a compatible type with argument {index} of function \"{function}\"")
        }
        "T0412" => {
            let (_, types) = SIGNATURES.iter().find(|(name, _)| *name == function)?;
            let of = match types.get(index.checked_sub(1)?).and_then(|kind| kind.chars().last()) {
                Some('n') => "numbers",
                Some('o') => "objects",
                Some('b') => "booleans",
                Some('f') => "functions",
                _ => "strings",
            };
            format!("Argument {index} of function \"{function}\" must be an array of \"{of}\"")
        }
        _ => format!("Argument {index} of function \"{function}\" does not match function signature"),
    })
}
