//! What a FROM clause brings into scope.

use datafusion::sql::sqlparser::ast::*;

/// The tables that a FROM clause reads itself.
pub fn tables(from: &[TableWithJoins]) -> Vec<&ObjectName> {
    fn factor<'a>(of: &'a TableFactor, into: &mut Vec<&'a ObjectName>) {
        match of {
            TableFactor::Table { name, .. } => into.push(name),
            TableFactor::NestedJoin { table_with_joins, .. } => one(table_with_joins, into),
            _ => {}
        }
    }
    fn one<'a>(of: &'a TableWithJoins, into: &mut Vec<&'a ObjectName>) {
        factor(&of.relation, into);
        of.joins.iter().for_each(|join| factor(&join.relation, into));
    }
    let mut found = Vec::new();
    from.iter().for_each(|item| one(item, &mut found));
    found
}

/// The relations that a FROM clause names.
pub fn relations(from: &[TableWithJoins], into: &mut Vec<String>) {
    fn factor(of: &TableFactor, into: &mut Vec<String>) {
        match of {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => into.push(alias.name.value.to_lowercase()),
            TableFactor::Table { name, .. } => {
                if let Some(ObjectNamePart::Identifier(last)) = name.0.last() {
                    into.push(last.value.to_lowercase());
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => one(table_with_joins, into),
            _ => {}
        }
    }
    fn one(of: &TableWithJoins, into: &mut Vec<String>) {
        factor(&of.relation, into);
        of.joins.iter().for_each(|join| factor(&join.relation, into));
    }
    from.iter().for_each(|item| one(item, into));
}
