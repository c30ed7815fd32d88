//! The order in which AWS writes the members of what it fills in. Members of a payload template that are
//! written as they are come first, in the order of the definition; those whose names end with `.$`
//! follow in the order of Java's `HashMap`, which depends on nothing but the names. Nobody should rely on it;
//! texts that are compared with AWS's come out the same.

/// `String.hashCode` of the Java documentation, spread as `HashMap` spreads it.
fn spread(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    hash ^ (hash >> 16)
}

/// Sorts `items` as a `HashMap` with these names, put in one after the other, lists them.
pub fn hashed<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    // A table of 16 doubles when it is three quarters full.
    let mut table = 16usize;
    while items.len() * 4 > table * 3 {
        table *= 2;
    }
    items.sort_by_cached_key(|item| spread(name(item)) as usize & (table - 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"Input".hashCode()` is 70805418, computed by hand: the sum of each unit times a power of 31.
    #[test]
    fn names_hash_as_in_java() {
        assert_eq!(spread("Input"), 70_805_418 ^ (70_805_418 >> 16));
        let mut names = ["StateMachineArn", "Input", "Name"];
        hashed(&mut names, |name| name);
        assert_eq!(names, ["Input", "StateMachineArn", "Name"]);
    }
}
