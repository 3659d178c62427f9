//! The logistic function.

/// 1 / (1 + e^-z).
pub(crate) fn logistic(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let power = z.exp();
        power / (1.0 + power)
    }
}

/// ln(1 + e^z).
pub(crate) fn log_one_plus_exp(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_out_and_in_the_middle() {
        assert_eq!((logistic(0.0), logistic(1e3), logistic(-1e3)), (0.5, 1.0, 0.0));
        assert!((logistic(2.0) + logistic(-2.0) - 1.0).abs() < 1e-15);
        assert!((log_one_plus_exp(0.0) - 2f64.ln()).abs() < 1e-15);
        assert_eq!((log_one_plus_exp(1e3), log_one_plus_exp(-1e3)), (1e3, 0.0));
    }
}
