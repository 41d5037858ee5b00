//! Body size and kidney function.

use serde_json::{Value, json};

use super::{Unsupported, input::Fields, output};
use crate::{answers::binary, bsa as area, ckd_epi_2021 as kidney, instrument::Sex};

pub(super) fn bsa(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let size = area::size(fields.number("height_cm")?, fields.number("weight_kg")?).ok();
    let by =
        |formula: fn(f64, f64) -> f64| output::number(size.map(|(height, weight)| formula(height, weight)));
    Ok(json!({"mosteller": by(area::mosteller), "dubois": by(area::du_bois)}))
}

pub(super) fn ckd_epi_2021(fields: &Fields<'_>) -> Result<Value, Unsupported> {
    let sex = fields.coded("sex", Sex::from_code)?;
    let (age, creatinine) = (fields.number("age_y")?, fields.number("creatinine_mg_dl")?);
    let rate = age
        .zip(creatinine)
        .and_then(|(age, creatinine)| kidney::egfr(sex, binary(age), binary(creatinine)).ok());
    Ok(json!({"egfr": output::number(rate)}))
}
