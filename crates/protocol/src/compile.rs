//! From the text of a study folder to the compiled study, or to all that is wrong with it.
//!
//! Phases, each over all files: parse, collect names, hold against the shapes and resolve,
//! read the sections, check what they mean together. No phase stops at a fault, so all come
//! at once. Nothing is read from a disk here and nothing is kept between two calls.

use std::collections::BTreeMap;

use crate::{
    checks,
    desk::{Desk, Reference, Section},
    diagnostic::{Diagnostic, Severity},
    expression::{Codes, Type, Unit},
    model::{
        ADVERSE_EVENT_VARIABLES, AnalysisPlan, Arm, BuiltIn, CASEBOOK_VARIABLES, Coverage, SUBJECT_VARIABLES,
        Study, VariableKind, VirtualCohort,
    },
    names::suggest,
    reader::{self, Spot},
    sections::{self, FILES, PLAN_FILES, forms::FormFile},
    shape::{FileShape, Kind},
    source::{Place, SourceFile},
    tree::{self, Node, NodeKind, Tree},
    units,
    version::{content_hash, normalised},
};

/// A study that can be run.
#[derive(Debug)]
pub struct Compiled {
    /// The study.
    pub study: Study,
    /// What a person should look at.
    pub warnings: Vec<Diagnostic>,
    /// Every name that the study uses, and where.
    pub references: Vec<Reference>,
}

/// Compiles the files of a study folder, by path in the folder.
///
/// # Errors
/// All that is wrong, in the order of files and lines. Warnings are given once nothing is wrong.
pub fn compile(files: &BTreeMap<String, String>) -> Result<Compiled, Vec<Diagnostic>> {
    let sources: Vec<SourceFile> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".toml"))
        .map(|(path, text)| SourceFile { path: path.replace('\\', "/"), text: normalised(text).into() })
        .chain(std::iter::once(SourceFile { path: ".".to_owned(), text: "".into() }))
        .collect();
    let trees: Vec<Tree> = sources.iter().map(|source| tree::parse(&source.text)).collect();
    let mut desk = Desk::new(&sources);
    report_broken(&mut desk, &trees);
    let shapes = match_shapes(&mut desk, FILES, "a study");
    collect_names(&mut desk, &trees, &shapes);
    let forms = form_files(&sources, &trees, &shapes);
    for (form, _) in &forms {
        desk.names.define(Kind::Form, form.clone());
    }
    let folder =
        Folder { sources: &sources, trees: &trees, shapes: &shapes, forms: &forms, nothing: &empty() };
    let study = folder.study(&mut desk, content_hash(files));
    finish(desk, study)
}

/// Compiles a plan over data sets from elsewhere: a folder with `analysis.toml` alone.
///
/// The study that comes back has an id, a title and a plan, arms for the levels of columns that have a control,
/// and nothing else: what a trial's conduct needs is not known of a trial run elsewhere.
///
/// # Errors
/// As [`compile`].
pub fn compile_plan(files: &BTreeMap<String, String>) -> Result<Compiled, Vec<Diagnostic>> {
    let sources: Vec<SourceFile> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".toml"))
        .map(|(path, text)| SourceFile { path: path.replace('\\', "/"), text: normalised(text).into() })
        .chain(std::iter::once(SourceFile { path: ".".to_owned(), text: "".into() }))
        .collect();
    let trees: Vec<Tree> = sources.iter().map(|source| tree::parse(&source.text)).collect();
    let mut desk = Desk::new(&sources);
    report_broken(&mut desk, &trees);
    let shapes = match_shapes(&mut desk, PLAN_FILES, "a plan");
    collect_names(&mut desk, &trees, &shapes);
    desk.languages = vec!["en".to_owned()];
    desk.names.define(Kind::Language, "en");
    let folder = Folder { sources: &sources, trees: &trees, shapes: &shapes, forms: &[], nothing: &empty() };
    folder.hold_against_shapes(&mut desk);
    let root = folder.root("analysis.toml");
    sections::analysis::check_place(&mut desk, &root, false);
    let data = sections::analysis::prepare_declared(&mut desk, &root);
    let parts = sections::analysis::read(&mut desk, root, data);
    checks::plan_alone(&mut desk, &parts, &root);
    let mut study = Study::empty(content_hash(files));
    study.id = root.text("id").unwrap_or("plan").into();
    study.title = desk.label(root.get("title"));
    study.languages.clone_from(&desk.languages);
    study.arms = arms_of(&parts.plan);
    study.plan = parts.plan;
    finish(desk, study)
}

/// The levels of columns that name a control, each level once.
fn arms_of(plan: &AnalysisPlan) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    for column in plan.data.iter().flat_map(|set| &set.columns).filter(|column| column.control.is_some()) {
        for (code, label) in &column.levels {
            let control = column.control.as_ref() == Some(code);
            if arms.iter().all(|arm| arm.id != **code) {
                let (id, treatment) = (code.as_str().into(), label.en().to_owned());
                arms.push(Arm { id, label: label.clone(), treatment, control });
            }
        }
    }
    arms
}

fn empty() -> Node {
    Node { span: 0..0, kind: NodeKind::Table(Vec::new()) }
}

fn finish(desk: Desk<'_>, study: Study) -> Result<Compiled, Vec<Diagnostic>> {
    let Desk { mut diagnostics, mut references, .. } = desk;
    diagnostics.sort_by(|a, b| {
        (&a.file, a.span.start, a.severity, &a.message).cmp(&(&b.file, b.span.start, b.severity, &b.message))
    });
    diagnostics.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.message == b.message);
    references.sort_by(|a, b| {
        (&a.file, a.span.start, a.span.end, a.kind).cmp(&(&b.file, b.span.start, b.span.end, b.kind))
    });
    references.dedup();
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Compiled { study, warnings, references })
}

fn report_broken(desk: &mut Desk<'_>, trees: &[Tree]) {
    for (file, tree) in trees.iter().enumerate() {
        for broken in &tree.broken {
            let help = match broken.message.contains("duplicate") {
                true => "each key and each table stands once; leave one out or rename it".to_owned(),
                false => "this line is no TOML: check quotes, brackets and commas".to_owned(),
            };
            let place = Place::new(file, broken.span.clone());
            desk.error("toml", &place, broken.message.clone(), Some(help));
        }
        desk.left_out.push_str(&tree.left_out);
    }
}

/// Returns each file's shape; reports files that have none and files that are lacking.
fn match_shapes(
    desk: &mut Desk<'_>,
    files: &'static [FileShape],
    folder: &str,
) -> Vec<Option<&'static FileShape>> {
    let mut shapes = Vec::new();
    let whole = desk.sources.len() - 1;
    for (file, source) in desk.sources.iter().enumerate().take(whole) {
        let shape = files.iter().find(|shape| shape.covers(&source.path));
        if shape.is_none() {
            let help = suggest(&source.path, files.iter().map(|shape| shape.path));
            desk.error(
                "unknown-file",
                &Place::new(file, 0..0),
                format!("{folder} has no file `{}`", source.path),
                help,
            );
        }
        shapes.push(shape);
    }
    shapes.push(None);
    for shape in files.iter().filter(|shape| shape.required) {
        if !desk.sources.iter().any(|source| source.path == shape.path) {
            let message = format!("{} lacks `{}`", folder.replacen("a ", "the ", 1), shape.path);
            desk.error("missing-file", &Place::new(whole, 0..0), message, Some(shape.doc.to_owned()));
        }
    }
    shapes
}

fn collect_names(desk: &mut Desk<'_>, trees: &[Tree], shapes: &[Option<&'static FileShape>]) {
    for (tree, shape) in trees.iter().zip(shapes) {
        if let Some(shape) = shape {
            let items_qualified = shape.path.ends_with('/');
            if !items_qualified {
                reader::define(desk, &tree.root, &shape.shape);
            }
        }
    }
    for instrument in instruments::all() {
        desk.names.define(Kind::Instrument, instrument.id());
    }
    for code in units::codes() {
        desk.names.define(Kind::Unit, code);
    }
}

fn form_files<'t>(
    sources: &[SourceFile],
    trees: &'t [Tree],
    shapes: &[Option<&'static FileShape>],
) -> Vec<FormFile<'t>> {
    let mut forms = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        if shapes[file].is_some_and(|shape| shape.path == "forms/") {
            let stem = source.path.trim_start_matches("forms/").trim_end_matches(".toml");
            forms.push((stem.to_owned(), Section::new(&trees[file].root, file)));
        }
    }
    forms
}

/// The parsed folder.
struct Folder<'t> {
    sources: &'t [SourceFile],
    trees: &'t [Tree],
    shapes: &'t [Option<&'static FileShape>],
    forms: &'t [FormFile<'t>],
    nothing: &'t Node,
}

impl<'t> Folder<'t> {
    /// Returns a file's root; an empty one (in the place after the last file) if there is none.
    fn root(&self, path: &str) -> Section<'t> {
        let file = self.shapes.iter().position(|shape| shape.is_some_and(|shape| shape.path == path));
        match file {
            Some(file) => Section::new(&self.trees[file].root, file),
            None => Section::new(self.nothing, self.trees.len() - 1),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.shapes.iter().any(|shape| shape.is_some_and(|shape| shape.path == path))
    }

    fn hold_against_shapes(&self, desk: &mut Desk<'_>) {
        for (file, shape) in self.shapes.iter().enumerate() {
            if let Some(shape) = shape {
                let spot = Spot { file, key: "", place: Place::new(file, 0..0) };
                reader::read(desk, &self.trees[file].root, &shape.shape, &spot);
            }
        }
    }

    fn study(&self, desk: &mut Desk<'_>, version: String) -> Study {
        let root = self.root("study.toml");
        desk.languages = sections::study::languages(root.node);
        for language in desk.languages.clone() {
            desk.names.define(Kind::Language, language);
        }
        let lists = self.root("codelists.toml");
        let mut codelists = sections::codelists::read(desk, &lists);
        sections::forms::facts(desk, self.forms, &codelists);
        self.hold_against_shapes(desk);
        let identity = sections::study::read(desk, root);
        let schedule = sections::schedule::read(desk, self.root("schedule.toml"), identity.randomised);
        for visit in &schedule.visits {
            desk.names.define(Kind::Visit, visit.id.as_str());
        }
        define_variables(desk, self.forms);
        let forms = sections::forms::read(desk, self.forms, &mut codelists);
        let roles_root = self.root("roles.toml");
        let data_classes = sections::roles::read_classes(desk, &roles_root);
        let roles = sections::roles::read_roles(desk, &roles_root);
        let laboratories =
            sections::laboratory::read(desk, &self.root("laboratory.toml"), &forms.forms, &codelists);
        let rules = sections::eligibility::read(desk, &self.root("eligibility.toml"));
        let (dosing, dose_conditions) = sections::dosing::read(desk, &self.root("dosing.toml"));
        let allocation = match self.has("allocation.toml") {
            true => sections::allocation::read(desk, &self.root("allocation.toml"), &identity.arms),
            false => None,
        };
        let deviations = sections::deviations::read(desk, &self.root("deviations.toml"));
        let analysis_root = self.root("analysis.toml");
        sections::analysis::prepare(desk, &analysis_root);
        sections::analysis::check_place(desk, &analysis_root, true);
        let plan = sections::analysis::read(desk, analysis_root, Vec::new());
        let watches = sections::watches::read(desk, &root, &plan.plan, &forms.forms);
        let virtual_cohort = match self.has("virtual.toml") {
            true => sections::virtual_cohort::read(desk, self.root("virtual.toml")),
            false => VirtualCohort::default(),
        };
        let file_root = |path: &str| {
            let file = self.sources.iter().position(|source| source.path == path)?;
            self.trees.get(file).map(|tree| &tree.root)
        };
        let coverage = match self.has("coverage.toml") {
            true => sections::coverage::read(desk, &self.root("coverage.toml"), &schedule, file_root),
            false => Coverage::default(),
        };
        let study = Study {
            version,
            id: identity.id.as_str().into(),
            title: identity.title,
            registry: identity.registry,
            phase: identity.phase,
            sponsor: identity.sponsor,
            languages: desk.languages.clone(),
            blinded: identity.blinded,
            target: identity.target,
            sources: identity.sources,
            facts: identity.facts,
            arms: identity.arms,
            epochs: identity.epochs,
            sites: identity.sites,
            consents: identity.consents,
            roles,
            data_classes,
            visits: schedule.visits.clone(),
            activities: schedule.activities.clone(),
            codelists,
            forms: forms.forms.clone(),
            laboratories,
            eligibility: rules.iter().map(|rule| rule.rule.clone()).collect(),
            dosing,
            allocation,
            blind_reading: identity.blind_reading,
            deviations,
            watches,
            plan: plan.plan.clone(),
            virtual_cohort,
            coverage,
        };
        let parts = checks::Parts {
            study: &study,
            schedule: &schedule,
            forms: &forms,
            form_files: self.forms,
            rules: &rules,
            doses: &dose_conditions,
            plan: &plan,
            study_root: root,
            roles_root,
            allocation_root: self.has("allocation.toml").then(|| self.root("allocation.toml")),
            analysis_root,
            laboratory_root: self.root("laboratory.toml"),
            virtual_root: self.has("virtual.toml").then(|| self.root("virtual.toml")),
            randomised: identity.randomised,
        };
        checks::run(desk, &parts);
        study
    }
}

/// Makes the built-in variables known, their codes where the study closes them.
fn define_variables(desk: &mut Desk<'_>, forms: &[FormFile<'_>]) {
    let of = |desk: &Desk<'_>, built_in: &BuiltIn| variable_type(desk, built_in, forms);
    desk.casebook_variables = CASEBOOK_VARIABLES.iter().map(|v| (v.name.to_owned(), of(desk, v))).collect();
    desk.subject_variables = SUBJECT_VARIABLES.iter().map(|v| (v.name.to_owned(), of(desk, v))).collect();
    desk.event_variables = ADVERSE_EVENT_VARIABLES.iter().map(|v| (v.name.to_owned(), of(desk, v))).collect();
}

fn variable_type(desk: &Desk<'_>, built_in: &BuiltIn, forms: &[FormFile<'_>]) -> Type {
    let unit = || Unit::Of(units::canonical(built_in.unit.unwrap_or("1")));
    let item_codes = |role: &str| {
        let (form, item) = forms.iter().find_map(|(form, root)| {
            root.named("items")
                .find(|item| item.text("role") == Some(role))
                .map(|item| (form, item.name().to_owned()))
        })?;
        match &desk.items.get(&format!("{form}.{item}"))?.kind {
            Type::Code(codes) => Some(codes.clone()),
            _ => None,
        }
    };
    let named = |kind: Kind| Codes {
        kind,
        list: built_in.name.to_owned(),
        among: Some(desk.names.of(kind).to_vec().into()),
    };
    let open = Codes { kind: Kind::Code, list: built_in.name.to_owned(), among: None };
    match built_in.kind {
        VariableKind::Integer | VariableKind::Number => Type::Number(unit()),
        VariableKind::Flag => Type::Flag,
        VariableKind::Date => Type::Date,
        VariableKind::Text => Type::Text,
        VariableKind::Code => Type::Code(match built_in.name.rsplit('.').next().unwrap_or_default() {
            "arm" => named(Kind::Arm),
            "site" => named(Kind::Site),
            "sex" => item_codes("sex").unwrap_or(open),
            "relation" => item_codes("ae_relation").unwrap_or(open),
            "action" => item_codes("ae_action").unwrap_or(open),
            "outcome" => item_codes("ae_outcome").unwrap_or(open),
            _ => open,
        }),
    }
}
