//! What a FROM clause brings into scope.

use datafusion_sql::sqlparser::ast::*;

use super::names;

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

/// Names of columns in lower case; `None` when they are not known from the text.
pub type Columns = Option<Vec<String>>;

/// The columns that an alias gives.
pub fn renamed(alias: &TableAlias) -> Columns {
    let columns = alias.columns.iter().map(|c| c.name.value.to_lowercase());
    (!alias.columns.is_empty()).then(|| columns.collect())
}

/// The columns of a query.
pub fn output(query: &Query) -> Columns {
    let names = names::output(&query.body);
    (!names.is_empty()).then(|| names.into_iter().flatten().map(|n| n.to_lowercase()).collect())
}

/// The columns that a FROM clause brings; `of` knows those of tables.
pub fn columns(from: &[TableWithJoins], of: &dyn Fn(&ObjectName) -> Columns) -> Columns {
    let mut all = Vec::new();
    for item in from {
        all.extend(joined(item, of)?);
    }
    Some(all)
}

fn joined(item: &TableWithJoins, of: &dyn Fn(&ObjectName) -> Columns) -> Columns {
    let mut all = factor(&item.relation, of)?;
    for join in &item.joins {
        all.extend(factor(&join.relation, of)?);
    }
    Some(all)
}

fn factor(factor: &TableFactor, of: &dyn Fn(&ObjectName) -> Columns) -> Columns {
    let named = |alias: &Option<TableAlias>| alias.as_ref().and_then(renamed);
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => named(alias).or_else(|| of(name)),
        TableFactor::Derived { subquery, alias, .. } => named(alias).or_else(|| output(subquery)),
        TableFactor::UNNEST { alias, .. } => named(alias),
        TableFactor::NestedJoin { table_with_joins, alias: None } => joined(table_with_joins, of),
        _ => None,
    }
}

/// The columns that a SELECT's `*` and `t.*` stand for, as far as they are known.
pub fn stars(select: &Select, of: &dyn Fn(&ObjectName) -> Columns) -> Vec<String> {
    let mut found = Vec::new();
    for item in &select.projection {
        let wanted = match item {
            SelectItem::Wildcard(_) => None,
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                name.0.last().and_then(|n| n.as_ident())
            }
            _ => continue,
        };
        for from in &select.from {
            let relations = std::iter::once(&from.relation).chain(from.joins.iter().map(|j| &j.relation));
            for relation in relations {
                let fits = wanted.is_none_or(|wanted| is_called(relation, &wanted.value));
                found.extend(factor(relation, of).filter(|_| fits).unwrap_or_default());
            }
        }
    }
    found.retain(|name| name != super::scan::PATH);
    found
}

/// Whether a relation goes by a name.
fn is_called(factor: &TableFactor, wanted: &str) -> bool {
    let name = match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => Some(&alias.name),
        TableFactor::Table { name, .. } => name.0.last().and_then(|n| n.as_ident()),
        _ => None,
    };
    name.is_some_and(|name| name.value.eq_ignore_ascii_case(wanted))
}
