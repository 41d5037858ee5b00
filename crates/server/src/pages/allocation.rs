//! The sealed list and the kits: sealing, unlocking after a start, stock, opening after the lock.
//!
//! A holder's key is shown once, when the list is sealed, and never kept here: the vault's own key lives in memory until the
//! program stops. No page says what an arm or a kit holds, nor how large a block is.

use std::fs;

use allocation::{PrivateKey, SealedVault};
use askama::Template;
use conduct::Action;
use protocol::model::{AllocationPlan, Power, Study};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use simulation::Custody;
use terms::{KitNumber, PersonId, RoleId, SiteId};

use crate::{
    context::{Context, Failure, Outcome},
    credentials::{draw, hex, unhex},
    http::{Reply, segment},
    page::Page,
    pages::account::prove,
};

struct Stock {
    site: String,
    label: String,
    in_stock: usize,
    given: usize,
    awaited: usize,
}

#[derive(Template)]
#[template(path = "allocation.html")]
struct AllocationPage {
    page: Page,
    path: String,
    sealed: Option<String>,
    open: bool,
    seals: bool,
    holds_key: bool,
    receives: bool,
    opens: bool,
    threshold: u32,
    holders: Vec<(String, String)>,
    stock: Vec<Stock>,
}

#[derive(Template)]
#[template(path = "holder_keys.html")]
struct KeysPage {
    page: Page,
    path: String,
    keys: Vec<(String, String)>,
}

/// Returns the study's plan of allocation; an open trial has no such page.
fn plan(study: &Study) -> Result<&AllocationPlan, Failure> {
    study.allocation.as_ref().ok_or(Failure::NotFound)
}

/// Reads the sealed list.
fn sealed(context: &Context<'_>, study: &Study) -> Option<SealedVault> {
    serde_json::from_str(&fs::read_to_string(context.house.sealed_list(&study.id)).ok()?).ok()
}

/// The list, its vault, and the kits of one's sites.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let plan = plan(study)?;
    let page = Page::new(context, "List and kits");
    let sealed = sealed(context, study);
    let state = running.state();
    let stock = seat
        .own_sites()
        .map(|site| {
            let kits = state.kits.values().filter(|kit| kit.site == site.id);
            let (given, in_stock): (Vec<_>, Vec<_>) = kits.partition(|kit| kit.holder.is_some());
            Stock {
                site: site.id.to_string(),
                label: site.label.clone(),
                in_stock: in_stock.len(),
                given: given.len(),
                awaited: sealed.as_ref().map_or(0, |sealed| awaited(sealed, &state, &site.id).len()),
            }
        })
        .collect();
    let view = AllocationPage {
        path: format!("/studies/{}/allocation", segment(study.id.as_str())),
        sealed: state.allocation.as_ref().map(|list| list.digest.clone()),
        open: running.is_vault_open(),
        seals: seat.may(Power::SealAllocation) && state.allocation.is_none() && state.locked.is_none(),
        holds_key: plan.holders.contains(&seat.role.id),
        receives: seat.may(Power::ReceiveKits) && state.locked.is_none(),
        opens: seat.may(Power::UnblindStudy) && state.locked.is_some() && state.arms.is_none(),
        threshold: plan.threshold,
        holders: plan
            .holders
            .iter()
            .filter_map(|role| study.role(role.as_str()))
            .map(|role| (role.id.to_string(), role.label.get(&page.language).to_owned()))
            .collect(),
        stock,
        page,
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

/// Kits that are consigned to a site and not in its stock yet.
fn awaited(sealed: &SealedVault, state: &conduct::State, site: &SiteId) -> Vec<KitNumber> {
    sealed
        .consignments()
        .iter()
        .filter(|consignment| consignment.site == *site)
        .flat_map(|consignment| &consignment.kits)
        .filter(|kit| !state.kits.contains_key(*kit))
        .cloned()
        .collect()
}

/// Seals, unlocks, receives, opens.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let study = running.study();
    let plan = plan(study)?;
    let path = format!("/studies/{}/allocation", segment(study.id.as_str()));
    match context.request.param("step") {
        "seal" if seat.may_take(access::Step::SealAllocation) => return seal(context, study, plan, path),
        "unlock" if plan.holders.contains(&seat.role.id) => {
            let sealed = sealed(context, study)
                .ok_or_else(|| Failure::Refused("The list is not sealed yet.".to_owned()))?;
            let (person, key) = given_key(&seat.role.id, context.request.form.get("key"))?;
            let vault = sealed.unlock(&person, &key).map_err(|error| Failure::Bad(error.to_string()))?;
            running.unlock(vault)?;
            let origin = context.address();
            let note = context.note(study.id.as_str(), "vault unlocked", seat.role.id.as_str(), &origin);
            context.house.accounts().note(&note)?;
            context.notice("The vault is open until the program stops.");
        }
        "receive" if seat.may_take(access::Step::ReceiveKits) => {
            let site = SiteId::from(context.request.form.get("site"));
            if !seat.sites.hold(&site) || study.site(site.as_str()).is_none() {
                return Err(Failure::NotFound);
            }
            let sealed = sealed(context, study)
                .ok_or_else(|| Failure::Refused("The list is not sealed yet.".to_owned()))?;
            let kits = awaited(&sealed, &running.state(), &site);
            if kits.is_empty() {
                return Err(Failure::Refused("No kit is awaited at this site.".to_owned()));
            }
            let action = Action::ReceiveKits { site: site.clone(), kits };
            let command = context.command(None, Some(&site), None, action)?;
            context.give(vec![command], None)?;
            context.notice("The consignment is in stock.");
        }
        "open" if seat.may_take(access::Step::UnblindAllocation) => {
            prove(context)?;
            if running.state().locked.is_none() {
                return Err(Failure::Refused(
                    "The database is not locked; lock it before the list is opened.".to_owned(),
                ));
            }
            let sealed = sealed(context, study).ok_or(Failure::NotFound)?;
            let mut shares = Vec::new();
            for role in &plan.holders {
                let text = context.request.form.get(&format!("key.{role}"));
                if !text.is_empty() {
                    let (person, key) = given_key(role, text)?;
                    shares.push(
                        sealed.open_share(&person, &key).map_err(|error| Failure::Bad(error.to_string()))?,
                    );
                }
            }
            let list = sealed.open_list(&shares).map_err(|error| Failure::Bad(error.to_string()))?;
            running.open_list(list)?;
            let command = context.command(None, None, None, Action::UnblindAllocation)?;
            context.give(vec![command], None)?;
            context.notice("The list is opened.");
        }
        _ => return Err(Failure::NotFound),
    }
    Ok(Reply::see(&path))
}

/// Draws and seals the list, fixes it in the record, and shows the holders' keys once.
fn seal(context: &Context<'_>, study: &Study, plan: &AllocationPlan, path: String) -> Outcome {
    let (running, _) = context.seated()?;
    prove(context)?;
    if running.state().allocation.is_some() {
        return Err(Failure::Refused("The list is sealed already.".to_owned()));
    }
    let sizes: Vec<u32> = context
        .request
        .form
        .get("blocks")
        .split([',', ' ', ';'])
        .filter_map(|size| size.parse().ok())
        .collect();
    let mut secrets = ChaCha20Rng::from_seed(draw());
    let custody = Custody::seal_in_blocks(study, plan, &sizes, &mut secrets)
        .map_err(|error| Failure::Bad(error.to_string()))?;
    let action = Action::SealAllocation {
        digest: custody.sealed.list_digest().to_string(),
        scheme_digest: custody.sealed.scheme_digest().to_string(),
    };
    let command = context.command(None, None, None, action)?;
    let broken = |error: &dyn std::fmt::Display| Failure::Broken(error.to_string());
    let text = serde_json::to_string_pretty(&custody.sealed).map_err(|error| broken(&error))?;
    let file = context.house.sealed_list(&study.id);
    fs::write(&file, text).map_err(|error| broken(&error))?;
    if let Err(error) = context.give(vec![command], None) {
        let _ = fs::remove_file(&file);
        return Err(error.into());
    }
    running.unlock(custody.unlock().map_err(|error| broken(&error))?)?;
    let page = Page::new(context, "The holders' keys");
    let label = |person: &PersonId| {
        let role = person.as_str().trim_start_matches("key-of-");
        let safe =
            page.t("Emergency safe: seal this key in an envelope that investigators can reach at any hour");
        study.role(role).map_or(safe, |role| role.label.get(&page.language)).to_owned()
    };
    let keys = custody.keys().map(|(person, key)| (label(person), hex(key.expose()))).collect();
    Ok(Reply::page(KeysPage { path, keys, page }.render()?))
}

/// Reads a holder's key.
fn given_key(role: &RoleId, text: &str) -> Result<(PersonId, PrivateKey), Failure> {
    let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bytes = unhex(&digits).and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or_else(|| Failure::Bad("A holder's key has 64 hexadecimal digits.".to_owned()))?;
    Ok((PersonId::from(format!("key-of-{role}")), PrivateKey::from_bytes(bytes)))
}
