//! A page on which sample size, effect and dropout are moved and the chance of rejecting follows: one
//! self-contained file over a precomputed grid, or served locally with trials run as they are asked for.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use protocol::Study;
use serde_json::{Value, json};
use simulation::{campaign::Criteria, scenario};
use terms::AnalysisId;

use super::{Campaign, Scenario, Way};

/// The page; the grid takes the place of the word `GRID`.
const PAGE: &str = include_str!("explore.html");

/// How long a connection may say nothing.
const WAITS_FOR_A_REQUEST: Duration = Duration::from_secs(30);

/// What is crossed in the grid.
#[derive(Clone, Debug)]
pub struct Axes {
    /// Participants.
    pub sizes: Vec<u32>,
    /// Points of effect on the skin score at the effect's month.
    pub points: Vec<f64>,
    /// Shares of each arm that stop early.
    pub dropout: Vec<f64>,
}

/// How the grid is filled.
#[derive(Clone, Copy, Debug)]
pub struct Filling {
    /// Trials of each point.
    pub trials: u64,
    /// The seed.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

/// An explorer of one analysis of a study.
pub struct Explorer<'a> {
    study: &'a Study,
    analysis: AnalysisId,
    effect: String,
    settings: Vec<String>,
    filling: Filling,
    /// One place is run at a time, with all threads.
    running: Mutex<()>,
}

/// One point that is asked for.
#[derive(Clone, Debug, PartialEq)]
struct Point {
    size: u32,
    points: f64,
    dropout: f64,
    setting: String,
}

impl<'a> Explorer<'a> {
    /// Prepares it. The effect that is moved is the first of the study that does something.
    ///
    /// # Errors
    /// The study has no effect to move.
    pub fn new(study: &'a Study, analysis: AnalysisId, filling: Filling) -> Result<Self> {
        let virtuals = &study.virtual_cohort;
        let Some(effect) = virtuals.effects.iter().find(|effect| effect.points != 0.0) else {
            bail!("virtual.toml has no effect with points other than 0 under [effects]; add one to move");
        };
        let skin =
            virtuals.skin.as_ref().context("the study scores no skin, on which an effect could act")?;
        Ok(Self {
            study,
            analysis,
            effect: effect.name.clone(),
            settings: skin.settings.iter().map(|one| one.0.clone()).collect(),
            filling,
            running: Mutex::new(()),
        })
    }

    fn scenario(&self, point: &Point) -> Result<Scenario> {
        let set = vec![
            format!("sample_size={}", point.size),
            format!("effect={}", self.effect),
            format!("effects.{}.points={}", self.effect, point.points),
            format!("dropout.all={}", point.dropout),
            format!("setting={}", point.setting),
        ];
        let mut study = self.study.clone();
        for one in &set {
            scenario::set_from_text(&mut study, one)?;
        }
        Ok(Scenario { name: set.join(", "), set, study })
    }

    /// Runs trials at points of the grid and returns `[rejection rate, MC SE]` of each.
    fn run(&self, points: &[Point]) -> Result<Vec<[f64; 2]>> {
        let scenarios: Vec<Scenario> =
            points.iter().map(|point| self.scenario(point)).collect::<Result<_>>()?;
        let campaign = Campaign {
            study: self.study,
            analyses: vec![self.analysis.clone()],
            scenarios,
            trials: self.filling.trials,
            seed: self.filling.seed,
            criteria: Criteria { alpha: 0.05, exclude: None },
            shard: None,
            way: Way::Fast,
        };
        let part = campaign.run_without_truth(self.filling.threads)?;
        let share = |counts: &simulation::campaign::Counts| {
            let share = simulation::campaign::Share::of(counts.tallies[0].rejected, counts.trials);
            [share.share, share.mc_se]
        };
        Ok(part.iter().map(share).collect())
    }

    /// Fills the grid and returns the page. `live` trials are run where the page stands, if it is served; `told` hears how far it is.
    ///
    /// # Errors
    /// A point can't be simulated.
    pub fn page(&self, axes: &Axes, live: Option<u64>, told: &mut dyn FnMut(usize, usize)) -> Result<String> {
        let mut rates = Vec::new();
        let all = self.settings.len() * axes.dropout.len();
        for setting in &self.settings {
            for dropout in &axes.dropout {
                told(rates.len(), all);
                let points: Vec<Point> = axes
                    .points
                    .iter()
                    .flat_map(|points| {
                        axes.sizes.iter().map(move |size| Point {
                            size: *size,
                            points: *points,
                            dropout: *dropout,
                            setting: setting.clone(),
                        })
                    })
                    .collect();
                rates.push(self.run(&points)?);
            }
        }
        told(all, all);
        let analysis = self.study.plan.analyses.iter().find(|analysis| analysis.id == self.analysis);
        let effect = self.study.virtual_cohort.effects.iter().find(|effect| effect.name == self.effect);
        let withdrawal = &self.study.virtual_cohort.withdrawal;
        let grid = json!({
            "id": self.study.id,
            "study": self.study.title.en(),
            "version": self.study.version,
            "analysis": self.analysis,
            "label": analysis.map_or("", |analysis| analysis.label.en()),
            "effect": self.effect,
            "effect_month": effect.map(|effect| effect.month),
            "effect_points": effect.map(|effect| effect.points),
            "target": self.study.virtual_cohort.cohort.enrol.unwrap_or(self.study.target),
            "dropout_written": withdrawal.iter().map(|one| one.share).sum::<f64>() / withdrawal.len().max(1) as f64,
            "trials": self.filling.trials,
            "seed": self.filling.seed,
            "sizes": axes.sizes,
            "points": axes.points,
            "dropout": axes.dropout,
            "settings": self.settings,
            "rates": rates,
            "live": live,
        });
        // A closing tag inside the data would end the script.
        Ok(PAGE.replace("/*GRID*/null", &grid.to_string().replace("</", "<\\/")))
    }

    /// Serves the page on this machine alone, and runs trials as the page asks for them, until it is stopped.
    ///
    /// # Errors
    /// The port can't be had.
    pub fn serve(&self, page: &str, listener: &TcpListener) -> Result<()> {
        // Browsers open connections ahead of need; one that asks for nothing must not hold up the others.
        std::thread::scope(|scope| {
            for stream in listener.incoming() {
                // One who goes away in the middle of an answer concerns nobody else.
                let Ok(stream) = stream else { continue };
                scope.spawn(move || self.answer(stream, page));
            }
        });
        Ok(())
    }

    fn answer(&self, mut stream: TcpStream, page: &str) -> Result<()> {
        stream.set_read_timeout(Some(WAITS_FOR_A_REQUEST))?;
        let mut line = String::new();
        BufReader::new((&stream).take(8_192)).read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or("/");
        let (status, kind, body) = match path.split_once('?') {
            Some(("/run", query)) => match self.run_query(query) {
                Ok(value) => ("200 OK", "application/json", value.to_string()),
                Err(error) => {
                    ("400 Bad Request", "application/json", json!({ "error": error.to_string() }).to_string())
                }
            },
            None if path == "/" => ("200 OK", "text/html; charset=utf-8", page.to_owned()),
            _ => ("404 Not Found", "text/plain", "There is nothing here; the page is at /.\n".to_owned()),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        Ok(())
    }

    fn run_query(&self, query: &str) -> Result<Value> {
        let field = |name: &str| {
            let found =
                query.split('&').filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name);
            found.map(|(_, value)| value).with_context(|| format!("the query has no {name}"))
        };
        let point = Point {
            size: field("size")?.parse()?,
            points: field("points")?.parse()?,
            dropout: field("dropout")?.parse()?,
            setting: field("setting")?.to_owned(),
        };
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let [rate, mc_se] = self.run(std::slice::from_ref(&point))?[0];
        drop(running);
        Ok(json!({ "rate": rate, "mc_se": mc_se, "trials": self.filling.trials }))
    }
}
