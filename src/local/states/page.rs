//! Page tokens: opaque to clients, refused when they were altered or belong to another question.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::fault::Fault;

/// A token that leads on after `place` in the answers to `question`.
pub fn token(question: &str, place: &str) -> String {
    let digest = Sha256::digest(format!("{question}\n{place}"));
    let seal = URL_SAFE_NO_PAD.encode(&digest[..12]);
    URL_SAFE_NO_PAD.encode(format!("{seal}{place}"))
}

/// Cuts what was found down to a page; the key of the last one when there is more.
pub fn cut<T>(found: &mut Vec<(String, T)>, size: usize) -> Option<String> {
    let more = found.len() > size;
    found.truncate(size);
    found.last().filter(|_| more).map(|(key, _)| key.clone())
}

/// The place a token leads to; none without a token.
pub fn place(input: &Value, question: &str) -> Result<Option<String>, Fault> {
    let Some(given) = input["nextToken"].as_str() else { return Ok(None) };
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(given).ok()?).ok()?;
        let place = text.get(16..)?.to_owned();
        (token(question, &place) == given).then_some(place)
    };
    read().map(Some).ok_or_else(|| Fault::client("InvalidToken", "Invalid Token: 'Invalid token'"))
}
