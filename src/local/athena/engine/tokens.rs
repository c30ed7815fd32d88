//! Tokens of Trino's syntax in a shape that the parser knows.

use std::iter::Peekable;

use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer, Word};

use super::groups::DISTINCT;
use super::json_calls;
use super::parse::{TYPE_MARK, Trino};

/// All of it, in order.
pub fn prepare(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    mark_types(wrap_values(json_calls::plain(group_words(plain_calls(tokens)))))
}

fn word(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

fn is_space(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}

/// `EXTRACT(field FROM x)` becomes `field(x)`, and `TABLE t` becomes `SELECT * FROM t`.
fn plain_calls(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|t| !is_space(t)).collect();
    let name = |value: &str, span: Span| {
        TokenWithSpan::new(
            Token::Word(Word { value: value.to_owned(), quote_style: None, keyword: Keyword::NoKeyword }),
            span,
        )
    };
    let mut at = 0;
    while at + 3 < tokens.len() {
        // `trim(LEADING FROM x)`: white space is meant.
        let side = match word(&tokens[at + 2]) {
            Some(Keyword::LEADING) => Some("ltrim"),
            Some(Keyword::TRAILING) => Some("rtrim"),
            Some(Keyword::BOTH) => Some("trim"),
            _ => None,
        };
        if let Some(side) = side
            && word(&tokens[at]) == Some(Keyword::TRIM)
            && tokens[at + 1].token == Token::LParen
            && word(&tokens[at + 3]) == Some(Keyword::FROM)
        {
            let called = name(side, tokens[at].span);
            tokens.splice(at..at + 4, [called, tokens[at + 1].clone()]);
        }
        let is_extract = word(&tokens[at]) == Some(Keyword::EXTRACT) && tokens[at + 1].token == Token::LParen;
        if is_extract
            && word(&tokens[at + 3]) == Some(Keyword::FROM)
            && let Token::Word(field) = &tokens[at + 2].token
        {
            let called = name(&field.value, tokens[at].span);
            tokens.splice(at..at + 4, [called, tokens[at + 1].clone()]);
        }
        at += 1;
    }
    if tokens.first().and_then(word) == Some(Keyword::TABLE) {
        let span = tokens[0].span;
        tokens.splice(0..1, made("SELECT * FROM", span));
    }
    tokens
}

/// `GROUP BY ALL …` is what GROUP BY means; `GROUP BY DISTINCT …` begins with a mark.
fn group_words(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let grouped = out.len() > 1
            && out.last().and_then(word) == Some(Keyword::BY)
            && word(&out[out.len() - 2]) == Some(Keyword::GROUP);
        match word(&token) {
            Some(Keyword::ALL) if grouped => {}
            Some(Keyword::DISTINCT) if grouped => {
                let name =
                    Word { value: DISTINCT.to_owned(), quote_style: Some('"'), keyword: Keyword::NoKeyword };
                out.push(TokenWithSpan::new(Token::Word(name), token.span));
                out.push(TokenWithSpan::new(Token::Comma, token.span));
            }
            _ => out.push(token),
        }
    }
    out
}

/// `VALUES 1, 2)` after ANY or ALL becomes `SELECT * FROM (VALUES (1), (2))`.
fn quantify(out: &mut Vec<TokenWithSpan>, tokens: &mut Peekable<impl Iterator<Item = TokenWithSpan>>) {
    let Some(values) = out.pop() else { return };
    let at = values.span;
    let put = |token: Token| TokenWithSpan::new(token, at);
    out.extend(made("SELECT * FROM (", at));
    out.push(values);
    let bare = tokens.peek().is_some_and(|t| t.token != Token::LParen);
    if bare {
        out.push(put(Token::LParen));
    }
    let mut depth = 0usize;
    while let Some(next) = tokens.peek() {
        match next.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen if depth == 0 => break,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            Token::EOF => break,
            Token::Comma if bare && depth == 0 => {
                out.push(put(Token::RParen));
                out.extend(tokens.next());
                out.push(put(Token::LParen));
                continue;
            }
            _ => {}
        }
        out.extend(tokens.next());
    }
    if bare {
        out.push(put(Token::RParen));
    }
    out.push(put(Token::RParen));
}

/// Whether a subquery behind a token is a value, or compared with one.
fn stands_for_value(token: &TokenWithSpan) -> bool {
    use Keyword::*;
    let operator = matches!(
        token.token,
        Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
    );
    let value = |w: Keyword| {
        matches!(w, ANY | ALL | SOME | IN | SELECT | WHERE | AND | OR | NOT | WHEN | THEN | ELSE | HAVING)
    };
    operator || word(token).is_some_and(value)
}

/// Tokens of ours, at the place of one of the query's.
fn made(sql: &str, at: Span) -> Vec<TokenWithSpan> {
    let made = Tokenizer::new(&Trino, sql).tokenize().unwrap_or_default();
    made.into_iter()
        .filter(|t| !matches!(t, Token::Whitespace(_)))
        .map(|t| TokenWithSpan::new(t, at))
        .collect()
}

/// `VALUES 1, 2` becomes `VALUES (1), (2)`.
fn wrap_values(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().filter(|t| !is_space(t)).peekable();
    while let Some(token) = tokens.next() {
        let starts = word(&token) == Some(Keyword::VALUES);
        out.push(token);
        // `ANY (VALUES …)` and the like are subqueries that the parser knows by their SELECT alone.
        let quantified = starts
            && out.len() > 2
            && out[out.len() - 2].token == Token::LParen
            && stands_for_value(&out[out.len() - 3]);
        if quantified {
            quantify(&mut out, &mut tokens);
            continue;
        }
        if !starts || tokens.peek().is_none_or(|t| t.token == Token::LParen) {
            continue;
        }
        let at = out.last().map_or(Span::empty(), |t| t.span);
        out.push(TokenWithSpan::new(Token::LParen, at));
        let mut depth = 0usize;
        while let Some(next) = tokens.peek() {
            let ends = depth == 0
                && (matches!(next.token, Token::RParen | Token::SemiColon | Token::EOF)
                    || matches!(
                        word(next),
                        Some(
                            Keyword::ORDER
                                | Keyword::LIMIT
                                | Keyword::UNION
                                | Keyword::OFFSET
                                | Keyword::FETCH
                        )
                    ));
            if ends {
                break;
            }
            let Some(next) = tokens.next() else { break };
            match next.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => {
                    out.push(TokenWithSpan::new(Token::RParen, next.span));
                    out.push(next.clone());
                    out.push(TokenWithSpan::new(Token::LParen, next.span));
                    continue;
                }
                _ => {}
            }
            out.push(next);
        }
        out.push(TokenWithSpan::new(Token::RParen, at));
    }
    out
}

/// The type of every CAST becomes one name, which our own reader of types understands.
fn mark_types(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // The depths at which a CAST waits for its AS.
    let mut casts: Vec<usize> = Vec::new();
    let mut depth = 0usize;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token.token {
            Token::LParen => {
                depth += 1;
                if out.last().and_then(word).is_some_and(|w| matches!(w, Keyword::CAST | Keyword::TRY_CAST)) {
                    casts.push(depth);
                }
            }
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_as = word(&token) == Some(Keyword::AS) && casts.last() == Some(&depth);
        out.push(token);
        if !is_as {
            continue;
        }
        casts.pop();
        let (mut inner, mut text) = (0usize, String::new());
        let mut span = tokens.peek().map_or(Span::empty(), |t| t.span);
        while let Some(next) = tokens.peek() {
            match next.token {
                Token::LParen => inner += 1,
                Token::RParen if inner == 0 => break,
                Token::RParen => inner -= 1,
                Token::EOF => break,
                _ => {}
            }
            let Some(next) = tokens.next() else { break };
            span.end = next.span.end;
            text.push_str(&next.token.to_string());
            text.push(' ');
        }
        let name = Word {
            value: format!("{TYPE_MARK}{}", text.trim()),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        };
        out.push(TokenWithSpan::new(Token::Word(name), span));
    }
    out
}
