//! `json_object('k' : v NULL ON NULL)` and `json_array(…)`, which have a syntax of their own, as plain calls:
//! the words behind the values become the first argument.
//! <https://trino.io/docs/current/functions/json.html#json-object>

use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

/// A call that is being read.
struct Frame {
    depth: usize,
    object: bool,
    /// The place of the first argument among the tokens written.
    words: usize,
    /// Where the current key or value begins.
    value: usize,
}

fn is(token: Option<&TokenWithSpan>, word: &str) -> bool {
    matches!(token.map(|t| &t.token), Some(Token::Word(w)) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

fn all(tokens: &[TokenWithSpan], words: &[&str]) -> bool {
    words.iter().enumerate().all(|(n, word)| is(tokens.get(n), word))
}

fn name(value: &str, at: Span) -> TokenWithSpan {
    let word = Word { value: value.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
    TokenWithSpan::new(Token::Word(word), at)
}

/// Rewrites the calls in a statement's tokens, which have no spaces.
pub fn plain(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut frames: Vec<Frame> = Vec::new();
    let (mut depth, mut at) = (0usize, 0usize);
    while at < tokens.len() {
        let token = &tokens[at];
        let rest = &tokens[at..];
        let opens = rest.get(1).is_some_and(|t| t.token == Token::LParen);
        let object = is(Some(token), "json_object");
        if opens && (object || is(Some(token), "json_array")) {
            let put = |token: Token| TokenWithSpan::new(token, tokens[at].span);
            out.push(name(if object { "$json_object" } else { "$json_array" }, token.span));
            out.push(rest[1].clone());
            let words = out.len();
            let usual = if object { "null" } else { "absent" };
            out.push(put(Token::SingleQuotedString(usual.into())));
            if rest.get(2).is_some_and(|t| t.token != Token::RParen && !is_clause(&rest[2..])) {
                out.push(put(Token::Comma));
            }
            depth += 1;
            frames.push(Frame { depth, object, words, value: out.len() });
            at += 2;
            continue;
        }
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => {
                if frames.last().is_some_and(|f| f.depth == depth) {
                    frames.pop();
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        match frames.last_mut().filter(|f| f.depth == depth) {
            Some(frame) => at += inside(frame, rest, &mut out),
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

/// Whether the words behind the values begin here.
fn is_clause(rest: &[TokenWithSpan]) -> bool {
    all(rest, &["null", "on", "null"])
        || all(rest, &["absent", "on", "null"])
        || all(rest, &["with", "unique"])
        || all(rest, &["without", "unique"])
        || all(rest, &["returning", "varchar"])
}

/// Takes what stands next in a call; answers how many tokens it was.
fn inside(frame: &mut Frame, rest: &[TokenWithSpan], out: &mut Vec<TokenWithSpan>) -> usize {
    let here = &rest[0];
    let first = out.len() == frame.value;
    let mut add = |word: &str| {
        if let Some(TokenWithSpan { token: Token::SingleQuotedString(words), .. }) = out.get_mut(frame.words)
        {
            if word == "null" || word == "absent" {
                *words = words.replace("null", word).replace("absent", word);
            } else {
                words.push_str(word);
            }
        }
    };
    if is_clause(rest) {
        if all(rest, &["null"]) {
            add("null");
            return 3;
        }
        if all(rest, &["absent"]) {
            add("absent");
            return 3;
        }
        if all(rest, &["returning"]) {
            return 2;
        }
        if all(rest, &["with"]) {
            add(" unique");
        }
        return if is(rest.get(2), "keys") { 3 } else { 2 };
    }
    if !first && all(rest, &["format", "json"]) {
        let put = |token: Token| TokenWithSpan::new(token, here.span);
        out.splice(frame.value..frame.value, [name("json_parse", here.span), put(Token::LParen)]);
        out.push(put(Token::RParen));
        return 2;
    }
    let ends_key = here.token == Token::Colon || is(Some(here), "value");
    if frame.object && first && is(Some(here), "key") {
        let next = rest.get(1).map(|t| &t.token);
        if !matches!(next, Some(Token::Colon | Token::Comma | Token::RParen)) && !is(rest.get(1), "value") {
            return 1;
        }
    }
    if frame.object && !first && ends_key {
        out.push(TokenWithSpan::new(Token::Comma, here.span));
    } else {
        out.push(here.clone());
    }
    if matches!(out.last().map(|t| &t.token), Some(Token::Comma)) {
        frame.value = out.len();
    }
    1
}
