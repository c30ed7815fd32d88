//! Texts that the command line names: given as they are, in a file, or on standard input.

use std::io::Read;

use crate::domain::problem::Problem;

/// `-` is standard input, `@file` a file, anything else the text itself.
pub fn text(argument: &str) -> Result<String, Problem> {
    match argument.strip_prefix('@') {
        _ if argument == "-" => standard_input(),
        Some(path) => file(path),
        None => Ok(argument.to_owned()),
    }
}

pub fn file(path: &str) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| {
        Problem::new(format!("{path} cannot be read"))
            .detail(error.to_string())
            .hint("Check the path; the file must be UTF-8 text")
    })
}

pub fn standard_input() -> Result<String, Problem> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(|error| {
        Problem::new("Standard input cannot be read").detail(error.to_string()).hint("It must be UTF-8 text")
    })?;
    Ok(text)
}
