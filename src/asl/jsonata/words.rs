//! AWS's words for what goes wrong with an expression.

/// The evaluator's own message for a sequence or text that grows too large.
pub const MEMORY: &str = "D2015: too large";

/// `threw an error during evaluation…`, from the evaluator's message: AWS writes the code and message of a
/// JSONata error after a full stop, and the three bounds of its own after a colon.
pub fn thrown(message: &str) -> String {
    let threw = "threw an error during evaluation";
    match message.get(..5) {
        Some("D1011" | "U1001") => format!(
            "{threw}: Stack overflow error: Check for non-terminating recursive function. Consider rewriting as \
             tail-recursive."
        ),
        Some("D1012") => format!("{threw}: Expression evaluation timeout: Check for infinite loop"),
        Some("D2014" | "D2015") => {
            format!("{threw}: Expression evaluation memory limit exceeded: Check for excessive memory usage")
        }
        _ => format!("{threw}. {message}"),
    }
}

/// Names of the parser's tokens, and how they are written.
const TOKENS: [(&str, &str); 40] = [
    ("RightParen", ")"),
    ("LeftParen", "("),
    ("RightBracket", "]"),
    ("LeftBracket", "["),
    ("RightBrace", "}"),
    ("LeftBrace", "{"),
    ("ColonEqual", ":="),
    ("QuestionColon", "?:"),
    ("QuestionQuestion", "??"),
    ("TildeArrow", "~>"),
    ("NotEqual", "!="),
    ("LessThanOrEqual", "<="),
    ("GreaterThanOrEqual", ">="),
    ("LessThan", "<"),
    ("GreaterThan", ">"),
    ("StarStar", "**"),
    ("DotDot", ".."),
    ("Ampersand", "&"),
    ("Semicolon", ";"),
    ("Question", "?"),
    ("Percent", "%"),
    ("Comma", ","),
    ("Colon", ":"),
    ("Caret", "^"),
    ("Equal", "="),
    ("Slash", "/"),
    ("Minus", "-"),
    ("Pipe", "|"),
    ("Plus", "+"),
    ("Star", "*"),
    ("Hash", "#"),
    ("Dot", "."),
    ("At", "@"),
    ("And", "and"),
    ("Or", "or"),
    ("In", "in"),
    ("True", "true"),
    ("False", "false"),
    ("Null", "null"),
    ("Eof", "(end)"),
];

/// A diagnostic's message from the parser's: without its code, and with tokens as they are written.
pub fn syntax(message: &str, source: &str) -> String {
    let message = message.strip_prefix("Invalid syntax: ").unwrap_or(message);
    let message = match message.split_once(": ") {
        Some((code, rest)) if code.len() == 5 && code.is_ascii() => rest,
        _ => message,
    };
    let word = |text: &str| {
        let token = TOKENS.iter().find(|(name, _)| *name == text).map(|(_, sign)| *sign);
        // `Identifier("x")`, `Number(1.0)`: what is in the parentheses.
        let inner = || text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        let shown = token.or_else(inner).unwrap_or(text).trim_matches('"');
        format!("\"{}\"", shown.strip_suffix(".0").unwrap_or(shown))
    };
    if let Some((expected, got)) = message.strip_prefix("Expected ").and_then(|m| m.split_once(", got ")) {
        return format!("Expected {}, got {}", word(expected), word(got));
    }
    let before = " before end of expression";
    if let Some(expected) = message.strip_prefix("Expected ").and_then(|m| m.strip_suffix(before)) {
        return format!("Expected {}{before}", word(expected));
    }
    let unary = " cannot be used as a unary operator";
    if let Some(symbol) = message.strip_prefix("The symbol ").and_then(|m| m.strip_suffix(unary)) {
        return format!("The symbol {}{unary}", word(symbol));
    }
    if message.starts_with("String literal must") && !ends_in_text(source) {
        return "No terminating / in regular expression".into();
    }
    match message.strip_prefix("Syntax error: ") {
        Some(token) => format!("Syntax error: {}", word(token)),
        None => message.to_owned(),
    }
}

/// Whether the source ends within a text in quotes.
fn ends_in_text(source: &str) -> bool {
    let mut quote = None;
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => _ = chars.next(),
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            _ => {}
        }
    }
    quote.is_some()
}
