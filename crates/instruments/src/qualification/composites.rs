//! Composite indices and classification.

use serde_json::{Value, json};
use terms::Truth;

use super::{Unsupported, input::Fields, output};
use crate::{
    acr_criss as criss, acr_eular_2013 as classification, activity_index as activity,
    revised_criss as revised, weighted,
};

fn found(fields: &Fields<'_>, key: &str) -> Result<Truth, Unsupported> {
    fields.truth(key).map(weighted::truth)
}

fn events(fields: &Fields<'_>) -> Result<criss::Events, Unsupported> {
    fields.object("step1", |step| {
        let mut events = [Truth::Unknown; 4];
        for (event, key) in events.iter_mut().zip(criss::EVENT_ITEMS) {
            *event = found(step, key)?;
        }
        Ok(events)
    })
}

pub(super) fn acr_criss(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let events = events(fields)?;
    let changes = fields.object("delta", |delta| {
        let mut changes = [None; 5];
        for (change, key) in changes.iter_mut().zip(criss::CHANGE_ITEMS) {
            *change = delta.number(key)?;
        }
        Ok(changes)
    })?;
    let failed = criss::step_one_failed(&events);
    let score = criss::score(&events, &changes).ok();
    let mut out = json!({"score": output::number(score), "step1_failed": output::truth(failed)});
    if let (Some(_), Truth::False) = (score, failed) {
        out["linear"] = output::decimal(criss::linear(&changes));
    }
    Ok(out)
}

fn values(fields: &Fields<'_>, time: &str) -> Result<revised::Values, Unsupported> {
    fields.object(time, |core| {
        let mut values = [None; 5];
        for (value, key) in values.iter_mut().zip(revised::CORE) {
            *value = core.number(key)?;
        }
        Ok(values)
    })
}

pub(super) fn revised_criss(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let thresholds = revised::Thresholds {
        percent: fields.needed_number("threshold_pct")?,
        fvc_percent: fields.needed_number("fvc_threshold_pct")?,
    };
    // Cases of the core items alone leave step 1 out: it is then clear.
    let failed = match fields.value("step1") {
        None => Truth::False,
        Some(_) => criss::step_one_failed(&events(fields)?),
    };
    let improved = revised::improved(&values(fields, "baseline")?, &values(fields, "followup")?, &thresholds);
    let by_item =
        revised::CORE.iter().zip(improved).map(|(id, truth)| ((*id).to_owned(), output::truth(truth)));
    Ok(json!({
        "n_improved": output::decimal(revised::improved_count(&improved)),
        "responder": output::truth(revised::responder(failed, &improved)),
        "improved": Value::Object(by_item.collect()),
    }))
}

pub(super) fn activity_index(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let findings = activity::Findings {
        scleredema: found(fields, "scleredema")?,
        skin_worse: found(fields, "delta_skin")?,
        digital_necrosis: found(fields, "digital_necrosis")?,
        vascular_worse: found(fields, "delta_vascular")?,
        arthritis: found(fields, "arthritis")?,
        heart_or_lung_worse: found(fields, "delta_cardiopulm")?,
        low_complement: found(fields, "hypocomplementemia")?,
        digital_ulcers: found(fields, "digital_ulcers")?,
        tendon_friction_rubs: found(fields, "tendon_friction_rubs")?,
        mrss: fields.number("mrss")?,
        dlco_percent: fields.number("dlco_pct")?,
        esr: fields.number("esr")?,
        crp_mg_dl: fields.number("crp_mg_dl")?,
    };
    let index = |index: activity::Index| json!({"score": output::decimal(index.score), "active": output::plain(index.active)});
    Ok(json!({
        "escsg_2003": index(activity::escsg(&findings)),
        "eustar_2017": index(activity::eustar(&findings)),
    }))
}

pub(super) fn acr_eular_2013(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let findings = classification::Findings {
        thickening_proximal_to_mcp: found(fields, "skin_thickening_proximal_mcp")?,
        puffy_fingers: found(fields, "puffy_fingers")?,
        sclerodactyly: found(fields, "sclerodactyly")?,
        tip_ulcers: found(fields, "digital_tip_ulcers")?,
        pitting_scars: found(fields, "pitting_scars")?,
        telangiectasia: found(fields, "telangiectasia")?,
        abnormal_nailfold: found(fields, "abnormal_nailfold")?,
        pah: found(fields, "pah")?,
        ild: found(fields, "ild")?,
        raynaud: found(fields, "raynaud")?,
        autoantibody: found(fields, "autoantibody")?,
    };
    Ok(json!({
        "score": output::decimal(classification::score(&findings)),
        "definite": output::truth(classification::definite(&findings)),
        "sufficient": output::truth(findings.thickening_proximal_to_mcp),
    }))
}
