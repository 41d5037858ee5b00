//! Results as a reporting event of the CDISC Analysis Results Standard 1.0.
//!
//! One analysis of the plan is one analysis of the event, with its set, data subset,
//! groupings, method and results. Each kind of number that a method gives is an operation,
//! and each number a result of it, found by its groups. Ids are made from the plan's, so
//! that the same plan and results give the same document. What the standard has no
//! place for (rows behind a number, reasons why none can be estimated) is left to the
//! program's own results.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{AnalysisResult, Level, Number, Results};
use protocol::{
    Study,
    expression::{Comparison, Input, Term},
    model::{self, Measure, Records, RecordsOf, Shown, Subject},
};
use serde_json::{Map, Value as Json, json};

/// Makes the reporting event of a study's (or a plan's) results.
///
/// Analyses that no plan asked for stand in it too, as data driven.
pub fn reporting_event(study: &Study, results: &Results) -> Json {
    let mut event =
        Event { study, groupings: BTreeMap::new(), subsets: BTreeMap::new(), methods: BTreeMap::new() };
    let analyses: Vec<Json> = results.analyses.iter().map(|result| event.analysis(result)).collect();
    let outputs = event.outputs(results);
    let mut sets: Vec<Json> = Vec::new();
    for (place, set) in study.plan.sets.iter().enumerate() {
        sets.push(json!({
            "id": set_id(set.id.as_str()),
            "name": set.label.en(),
            "label": set.who.text,
            "level": 1,
            "order": place + 1,
            "condition": event.condition("subjects", &format!("set_{}", set.id.as_str().to_lowercase()), "true"),
        }));
    }
    let mut document = json!({
        "id": study.id,
        "name": study.title.en(),
        "version": 1,
        "mainListOfContents": event.contents(results),
        "analysisSets": sets,
        "dataSubsets": event.subsets.values().collect::<Vec<_>>(),
        "analysisGroupings": event.groupings.values().map(|grouping| &grouping.1).collect::<Vec<_>>(),
        "methods": event.methods.values().collect::<Vec<_>>(),
        "analyses": analyses,
        "outputs": outputs,
    });
    let description = format!("Plan version (SHA-256) {}", study.version);
    document["description"] = json!(description);
    document
}

struct Event<'a> {
    study: &'a Study,
    /// By variable: groups' ids by their values, and the grouping.
    groupings: BTreeMap<String, (BTreeMap<String, String>, Json)>,
    subsets: BTreeMap<String, Json>,
    methods: BTreeMap<String, Json>,
}

fn set_id(id: &str) -> String {
    format!("AS_{}", token(id))
}

fn analysis_id(id: &str) -> String {
    format!("AN_{}", token(id))
}

/// An id of letters, digits, `_` and `-`; other characters become their code, so that none are confused.
fn token(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '-' => out.push(character),
            ' ' => out.push('_'),
            other => out.push_str(&format!(".{:x}.", u32::from(other))),
        }
    }
    out
}

impl Event<'_> {
    /// The name under which files know a data set.
    fn dataset(&self, name: &str) -> String {
        let declared = self.study.plan.data.iter().find(|set| set.participants);
        match (name, declared) {
            ("subjects", Some(set)) => set.name.to_uppercase(),
            (name, Some(_)) => name.to_uppercase(),
            (name, None) => name.to_owned(),
        }
    }

    fn condition(&self, dataset: &str, variable: &str, value: &str) -> Json {
        json!({
            "dataset": self.dataset(dataset),
            "variable": variable,
            "comparator": "EQ",
            "value": [value],
        })
    }

    fn analysis(&mut self, result: &AnalysisResult) -> Json {
        let planned = self.study.plan.analyses.iter().find(|analysis| analysis.id == result.id);
        let (dataset, variable) = match planned.map(|analysis| &analysis.subject) {
            Some(Subject::Parameter { measure, .. }) => {
                ("longitudinal".to_owned(), Some(column_of(*measure)))
            }
            Some(Subject::Variable { variable }) => ("subjects".to_owned(), Some(variable.clone())),
            Some(Subject::AdverseEvents { .. }) => ("adverse_events".to_owned(), Some("term".to_owned())),
            Some(Subject::Deviations) => ("deviations".to_owned(), Some("kind".to_owned())),
            Some(Subject::TimeToEvent { .. }) => ("times_to_event".to_owned(), Some("value".to_owned())),
            Some(Subject::Readings(_)) => ("readings".to_owned(), Some("value".to_owned())),
            Some(Subject::Records(records)) => (records.data.clone(), Some(variable_of(records))),
            None => ("subjects".to_owned(), None),
        };
        let by = planned.and_then(|analysis| analysis.by.clone()).unwrap_or_else(|| "arm".to_owned());
        let mut ordered = Vec::new();
        let mut places = Vec::new();
        if !result.groups.is_empty() {
            places.push(self.grouping("subjects", &by, &result.groups));
        }
        let levels = levels_of(result);
        if !levels.is_empty() {
            let name = match &variable {
                Some(variable) if result.levels.len() == levels.len() => variable.clone(),
                _ => format!("{} levels", result.id),
            };
            places.push(self.grouping(&dataset, &name, &levels));
        }
        for (order, grouping) in places.iter().enumerate() {
            ordered.push(json!({ "order": order + 1, "groupingId": grouping, "resultsByGroup": true }));
        }
        let method = self.method(result);
        let mut analysis = json!({
            "id": analysis_id(result.id.as_str()),
            "name": result.label,
            "description": result.method,
            "version": 1,
            "reason": { "controlledTerm": if planned.is_some() { "SPECIFIED IN SAP" } else { "DATA DRIVEN" } },
            "purpose": { "controlledTerm": self.purpose(result) },
            "dataset": self.dataset(&dataset),
            "methodId": method,
            "orderedGroupings": ordered,
            "results": self.results(result, &places),
        });
        if let Some(variable) = variable {
            analysis["variable"] = json!(variable);
        }
        if let Some(planned) = planned {
            analysis["analysisSetId"] = json!(set_id(planned.set.as_str()));
            if let Some(subset) = self.subset(planned, &dataset) {
                analysis["dataSubsetId"] = json!(subset);
            }
        }
        analysis
    }

    fn purpose(&self, result: &AnalysisResult) -> &'static str {
        let estimand = result.estimand.as_ref();
        let level = estimand.and_then(|id| self.study.plan.estimands.iter().find(|one| one.id == *id));
        match (level.map(|estimand| estimand.level.as_str()), result.role.as_str()) {
            (Some("primary"), "main") => "PRIMARY OUTCOME MEASURE",
            (Some("primary" | "secondary"), _) => "SECONDARY OUTCOME MEASURE",
            _ => "EXPLORATORY OUTCOME MEASURE",
        }
    }

    /// Returns the id of the grouping by a variable, which is made or gets the groups that are new.
    fn grouping(&mut self, dataset: &str, variable: &str, levels: &[Level]) -> String {
        let id = format!("AG_{}_{}", token(dataset), token(variable));
        let (dataset_name, key) = (self.dataset(dataset), id.clone());
        let (known, grouping) = self.groupings.entry(key).or_insert_with(|| {
            let grouping = json!({
                "id": id,
                "name": variable,
                "dataDriven": false,
                "groupingDataset": dataset_name,
                "groupingVariable": variable,
                "groups": [],
            });
            (BTreeMap::new(), grouping)
        });
        for level in levels {
            if known.contains_key(&level.id) {
                continue;
            }
            let group = format!("{id}_{}", token(&level.id));
            known.insert(level.id.clone(), group.clone());
            let order = known.len();
            if let Some(groups) = grouping["groups"].as_array_mut() {
                groups.push(json!({
                    "id": group,
                    "name": level.id,
                    "label": level.label,
                    "level": 1,
                    "order": order,
                    "condition": {
                        "dataset": dataset_name,
                        "variable": variable,
                        "comparator": "EQ",
                        "value": [level.id],
                    },
                }));
            }
        }
        id
    }

    /// Returns the id of the data subset that an analysis looks at, if it does not look at all rows.
    fn subset(&mut self, analysis: &model::Analysis, dataset: &str) -> Option<String> {
        let mut clauses: Vec<Option<Json>> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        match &analysis.subject {
            Subject::Parameter { parameter, visit, .. } => {
                clauses.push(Some(condition_of(self.condition(
                    "longitudinal",
                    "parameter",
                    parameter.as_str(),
                ))));
                clauses.push(Some(condition_of(self.condition("longitudinal", "visit", visit.as_str()))));
                words.push(format!("{parameter} at {visit}"));
            }
            Subject::TimeToEvent { time } => {
                let condition = self.condition("times_to_event", "parameter", time.as_str());
                clauses.push(Some(condition_of(condition)));
                words.push(time.to_string());
            }
            Subject::AdverseEvents { filter: Some(filter) }
            | Subject::Records(Records { filter: Some(filter), .. }) => {
                clauses.push(self.clause(filter.root(), dataset));
                words.push(filter.text.clone());
            }
            _ => {}
        }
        if let Some(only) = &analysis.only {
            clauses.push(self.clause(only.root(), "subjects"));
            words.push(only.text.clone());
        }
        if words.is_empty() {
            return None;
        }
        let name = words.join(" and ");
        let id = format!("DS_{}_{}", token(dataset), token(&name));
        let mut subset = json!({ "id": id, "name": name, "level": 1, "order": self.subsets.len() + 1 });
        let whole: Option<Vec<Json>> = clauses.into_iter().collect();
        match whole
            .map(|clauses| if clauses.len() == 1 { clauses[0].clone() } else { compound("AND", clauses) })
        {
            Some(clause) => {
                for (key, value) in clause.as_object().into_iter().flatten() {
                    subset[key] = value.clone();
                }
            }
            // The standard's where clauses know no arithmetic and no values at other visits: these stand in words.
            None => subset["description"] = json!(name),
        }
        self.subsets.entry(id.clone()).or_insert(subset);
        Some(id)
    }

    /// A condition as the standard writes it: comparisons of a variable with constants, joined by and, or, not.
    fn clause(&self, term: &Term, dataset: &str) -> Option<Json> {
        let condition = |of: &Term, comparator: &str, values: Vec<String>| {
            let Term::Input(Input::Variable(variable)) = without_number(of) else { return None };
            Some(condition_of(json!({
                "dataset": self.dataset(self.home(variable, dataset)),
                "variable": variable,
                "comparator": comparator,
                "value": values,
            })))
        };
        match term {
            Term::Input(_) => condition(term, "EQ", vec!["true".to_owned()]),
            Term::Missing(of) => condition(of, "EQ", Vec::new()),
            Term::Compare(comparison, left, right, _) => match (constant(left), constant(right)) {
                (None, Some(value)) => condition(left, comparator(*comparison), vec![value]),
                (Some(value), None) => condition(right, comparator(turned(*comparison)), vec![value]),
                _ => None,
            },
            Term::OneOf(of, values) => {
                condition(of, "IN", values.iter().map(constant).collect::<Option<Vec<_>>>()?)
            }
            Term::Not(inner) => match &**inner {
                Term::OneOf(of, values) => {
                    condition(of, "NOTIN", values.iter().map(constant).collect::<Option<Vec<_>>>()?)
                }
                Term::Missing(of) => condition(of, "NE", Vec::new()),
                other => Some(compound("NOT", vec![self.clause(other, dataset)?])),
            },
            Term::And(left, right, _) => {
                Some(compound("AND", vec![self.clause(left, dataset)?, self.clause(right, dataset)?]))
            }
            Term::Or(left, right, _) => {
                Some(compound("OR", vec![self.clause(left, dataset)?, self.clause(right, dataset)?]))
            }
            _ => None,
        }
    }

    /// The data set that a variable of a condition over rows is of: that of the rows, or the participants' where rows have no such column.
    fn home<'d>(&self, variable: &str, dataset: &'d str) -> &'d str {
        let declared = self.study.plan.data.iter().find(|set| set.name == dataset);
        match declared {
            Some(set) if set.columns.iter().all(|column| column.name != variable) => "subjects",
            _ => dataset,
        }
    }

    /// Returns the id of the method, its operations being the kinds of numbers that the result holds.
    fn method(&mut self, result: &AnalysisResult) -> String {
        let word = self.word(result);
        let id = format!("MT_{}", token(&word));
        let mut keys: Vec<&str> = Vec::new();
        for number in &result.numbers {
            if !keys.contains(&number.key.as_str()) {
                keys.push(&number.key);
            }
        }
        let method = self.methods.entry(id.clone()).or_insert_with(
            || json!({ "id": id, "name": word, "description": result.method, "operations": [] }),
        );
        if let Some(operations) = method["operations"].as_array_mut() {
            for key in keys {
                let operation = operation_id(&id, key);
                if operations.iter().all(|known| known["id"] != json!(operation)) {
                    let order = operations.len() + 1;
                    operations.push(json!({ "id": operation, "name": key, "label": key.replace('_', " "), "order": order }));
                }
            }
        }
        id
    }

    /// The method's word; a standing analysis is a method of its own.
    fn word(&self, result: &AnalysisResult) -> String {
        let planned = self.study.plan.analyses.iter().find(|analysis| analysis.id == result.id);
        match planned {
            Some(planned) => planned.method.word().to_owned(),
            None => format!("standing: {}", result.id.as_str().split(':').next().unwrap_or_default()),
        }
    }

    fn results(&self, result: &AnalysisResult, places: &[String]) -> Vec<Json> {
        let method = format!("MT_{}", token(&self.word(result)));
        let all: Vec<Json> = result
            .numbers
            .iter()
            .map(|number| {
                let mut one = Map::new();
                one.insert("operationId".to_owned(), json!(operation_id(&method, &number.key)));
                if let Some(value) = number.value {
                    one.insert("rawValue".to_owned(), json!(value.to_string()));
                }
                one.insert("formattedValue".to_owned(), json!(number.text()));
                let groups = self.result_groups(result, number, places);
                if !groups.is_empty() {
                    one.insert("resultGroups".to_owned(), Json::Array(groups));
                }
                Json::Object(one)
            })
            .collect();
        all
    }

    /// The groups that a number belongs to. Of a comparison of two groups these are both, the one that is
    /// compared first.
    fn result_groups(&self, result: &AnalysisResult, number: &Number, places: &[String]) -> Vec<Json> {
        let find = |value: &str, places: &[&String]| -> Option<Json> {
            let (grouping, group) = places.iter().find_map(|place| {
                let (known, _) = self.groupings.get(*place)?;
                Some(((*place).clone(), known.get(value)?.clone()))
            })?;
            Some(json!({ "groupingId": grouping, "groupId": group }))
        };
        let in_order: Vec<&String> = places.iter().collect();
        let levels_first: Vec<&String> = places.iter().rev().collect();
        let mut groups: Vec<Json> = Vec::new();
        groups.extend(number.group.as_ref().and_then(|group| find(group, &in_order)));
        if let Some(level) = &number.level {
            // A level may go by the same name as a group: it is sought among levels first.
            let pair = result.groups.iter().any(|group| group.id == *level)
                && levels_of(result).iter().all(|one| one.id != *level);
            groups.extend(find(level, if pair { &in_order } else { &levels_first }));
        }
        groups
    }

    /// One output for each section of the plan's report.
    fn outputs(&self, results: &Results) -> Vec<Json> {
        let sections = self.study.plan.sections.iter().enumerate();
        sections
            .filter(|(_, section)| !shown(section, results).is_empty())
            .map(|(place, section)| {
                let (id, title) = (format!("OUT_{}", place + 1), section.title.en());
                json!({
                    "id": id,
                    "name": title,
                    "version": 1,
                    "displays": [{ "order": 1, "display": { "id": format!("{id}_D1"), "name": title, "displayTitle": title } }],
                })
            })
            .collect()
    }

    fn contents(&self, results: &Results) -> Json {
        let mut items: Vec<Json> = Vec::new();
        let mut listed = BTreeSet::new();
        for (place, section) in self.study.plan.sections.iter().enumerate() {
            let analyses = shown(section, results);
            if analyses.is_empty() {
                continue;
            }
            listed.extend(analyses.iter().map(|result| result.id.as_str()));
            let inner: Vec<Json> = analyses
                .iter()
                .enumerate()
                .map(|(order, result)| {
                    json!({
                        "name": result.label,
                        "level": 2,
                        "order": order + 1,
                        "analysisId": analysis_id(result.id.as_str()),
                    })
                })
                .collect();
            items.push(json!({
                "name": section.title.en(),
                "level": 1,
                "order": items.len() + 1,
                "outputId": format!("OUT_{}", place + 1),
                "sublist": { "listItems": inner },
            }));
        }
        for result in results.analyses.iter().filter(|result| !listed.contains(result.id.as_str())) {
            let order = items.len() + 1;
            items.push(json!({
                "name": result.label,
                "level": 1,
                "order": order,
                "analysisId": analysis_id(result.id.as_str()),
            }));
        }
        json!({
            "name": "Analyses",
            "label": "In the order of the report",
            "contentsList": { "listItems": items },
        })
    }
}

fn condition_of(condition: Json) -> Json {
    json!({ "condition": condition })
}

/// Where clauses joined by an operator; one that is itself joined by the same operator is taken apart.
fn compound(operator: &str, clauses: Vec<Json>) -> Json {
    fn add(clauses: &[Json], operator: &str, level: u64, out: &mut Vec<Json>) {
        for clause in clauses {
            let own = &clause["compoundExpression"];
            if operator != "NOT" && own["logicalOperator"] == json!(operator) {
                add(own["whereClauses"].as_array().map_or(&[][..], Vec::as_slice), operator, level, out);
                continue;
            }
            let mut one = clause.clone();
            one["level"] = json!(level);
            one["order"] = json!(out.len() + 1);
            deepen(&mut one, level);
            out.push(one);
        }
    }
    fn deepen(clause: &mut Json, level: u64) {
        let inner = clause.pointer_mut("/compoundExpression/whereClauses").and_then(Json::as_array_mut);
        for one in inner.into_iter().flatten() {
            one["level"] = json!(level + 1);
            deepen(one, level + 1);
        }
    }
    let mut wheres = Vec::new();
    add(&clauses, operator, 2, &mut wheres);
    json!({ "compoundExpression": { "logicalOperator": operator, "whereClauses": wheres } })
}

/// A code that is compared as a number, as itself.
fn without_number(term: &Term) -> &Term {
    match term {
        Term::CodeNumber(inner) => inner,
        other => other,
    }
}

fn constant(term: &Term) -> Option<String> {
    Some(match term {
        Term::Number(number, _) => number.to_string(),
        Term::Negate(inner) => match &**inner {
            Term::Number(number, _) => (-*number).to_string(),
            _ => return None,
        },
        Term::Flag(flag) => flag.to_string(),
        Term::Word(word) => word.clone(),
        Term::Date(date) => date.to_string(),
        _ => return None,
    })
}

fn comparator(of: Comparison) -> &'static str {
    match of {
        Comparison::Less => "LT",
        Comparison::AtMost => "LE",
        Comparison::Greater => "GT",
        Comparison::AtLeast => "GE",
        Comparison::Equal => "EQ",
        Comparison::Unequal => "NE",
    }
}

/// The comparison with its sides exchanged.
fn turned(of: Comparison) -> Comparison {
    match of {
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        same => same,
    }
}

fn operation_id(method: &str, key: &str) -> String {
    format!("{method}_{}", token(key))
}

/// The levels of numbers that do not belong to a pair of groups.
fn levels_of(result: &AnalysisResult) -> Vec<Level> {
    let mut levels = result.levels.clone();
    for number in &result.numbers {
        let Some(level) = &number.level else { continue };
        let of_pair = number.group.is_some() && result.groups.iter().any(|group| group.id == *level);
        if !of_pair && levels.iter().all(|known| known.id != *level) {
            levels.push(Level { id: level.clone(), label: level.clone() });
        }
    }
    // Standing analyses tell participants apart as groups of their own.
    for number in &result.numbers {
        let Some(group) = &number.group else { continue };
        let known =
            result.groups.iter().any(|one| one.id == *group) || levels.iter().any(|one| one.id == *group);
        if !known {
            levels.push(Level { id: group.clone(), label: group.clone() });
        }
    }
    levels
}

fn shown<'r>(section: &model::Section, results: &'r Results) -> Vec<&'r AnalysisResult> {
    let mut found: Vec<&AnalysisResult> = Vec::new();
    for shown in &section.show {
        let ids = match shown {
            Shown::Table(ids) => ids.as_slice(),
            Shown::Survival(id) => std::slice::from_ref(id),
            _ => &[],
        };
        for id in ids {
            let result = results.analyses.iter().find(|result| result.id == *id);
            found.extend(result.filter(|result| found.iter().all(|known| known.id != result.id)));
        }
    }
    found
}

fn column_of(measure: Measure) -> String {
    match measure {
        Measure::Value => "value",
        Measure::Change => "change",
        Measure::RelativeChange => "relative_change",
        Measure::PercentChange => "percent_change",
    }
    .to_owned()
}

fn variable_of(records: &Records) -> String {
    match &records.of {
        RecordsOf::Value { column } => column.clone(),
        RecordsOf::Times { time, .. } => time.clone(),
        RecordsOf::Terms { columns } => columns.last().cloned().unwrap_or_default(),
    }
}
