//! Distribution functions of the normal, t, chi-squared and F distributions.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};

use statrs::function::{beta::beta_reg, erf::erfc_inv, gamma::gamma_ur};

use crate::squares::square;

/// Density of the standard normal distribution.
pub(crate) fn normal_density(x: f64) -> f64 {
    libm::exp(-square(x) / 2.0) / TAU.sqrt()
}

/// P(Z <= x) of a standard normal Z.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    libm::erfc(-x * FRAC_1_SQRT_2) / 2.0
}

/// P(|Z| >= |z|) of a standard normal Z.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * FRAC_1_SQRT_2)
}

/// The x with P(Z <= x) = p. Infinite at 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let start = -SQRT_2 * erfc_inv(2.0 * p);
    if !start.is_finite() {
        return start;
    }
    // One step of Newton's method takes the approximation to full precision.
    start - (normal_cdf(start) - p) / normal_density(start)
}

/// P(|T| >= |t|) of Student's t with `df` degrees of freedom, which may be infinite.
pub(crate) fn t_two_sided(t: f64, df: f64) -> f64 {
    if df == f64::INFINITY {
        return normal_two_sided(t);
    }
    if t.is_infinite() {
        return 0.0;
    }
    beta_reg(df / 2.0, 0.5, df / (df + square(t)))
}

/// The t >= 0 with P(|T| <= t) = `confidence`.
pub(crate) fn t_critical(confidence: f64, df: f64) -> f64 {
    root(|t| 1.0 - t_two_sided(t, df), confidence)
}

/// P(X >= x) of chi-squared with `df` degrees of freedom.
pub(crate) fn chi_squared_upper(x: f64, df: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { gamma_ur(df / 2.0, x / 2.0) }
}

/// P(X >= x) of F with `d1` and `d2` degrees of freedom. `x` may be infinite.
pub(crate) fn f_upper(x: f64, d1: f64, d2: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { beta_reg(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * x)) }
}

/// The x >= 0 where `cdf`, which increases from 0 to 1, is `target`, by false position (Illinois) within a bracket.
///
/// Infinite if `cdf` stays below `target` up to 2^60.
pub(crate) fn root(cdf: impl Fn(f64) -> f64, target: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while cdf(high) < target {
        (low, high) = (high, high * 2.0);
        if high > 2.0_f64.powi(60) {
            return f64::INFINITY;
        }
    }
    let (mut below, mut above) = (cdf(low) - target, cdf(high) - target);
    // The end that the last step moved: an end that stays twice in a row counts half.
    let mut moved = 0;
    for _ in 0..200 {
        if below >= 0.0 {
            return low;
        }
        if above == 0.0 || high - low <= 1e-13 * high {
            return high;
        }
        let mut middle = high - above * (high - low) / (above - below);
        if !(middle > low && middle < high) {
            middle = low.midpoint(high);
        }
        let value = cdf(middle) - target;
        if value.abs() <= 1e-15 {
            return middle;
        }
        if value < 0.0 {
            (low, below) = (middle, value);
            above /= if moved == -1 { 2.0 } else { 1.0 };
            moved = -1;
        } else {
            (high, above) = (middle, value);
            below /= if moved == 1 { 2.0 } else { 1.0 };
            moved = 1;
        }
    }
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To ten digits, or twelve decimals.
    fn assert_close(ours: f64, scipy: f64) {
        assert!((ours - scipy).abs() <= 1e-12 + 1e-10 * scipy.abs(), "{ours}, but {scipy} by scipy");
    }

    /// scipy 1.17.1: `norm.ppf(p)`.
    #[test]
    fn normal_quantiles_equal_those_of_scipy() {
        for (p, x) in [
            (1.0e-12, -7.034_483_825_301_131),
            (1.0e-05, -4.264_890_793_922_825),
            (0.01, -2.326_347_874_040_840_8),
            (0.3, -0.524_400_512_708_040_9),
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_4),
            (0.975, 1.959_963_984_540_054),
            (0.999_999, 4.753_424_308_817_087),
        ] {
            assert_close(normal_quantile(p), x);
            assert_close(normal_cdf(x), p);
        }
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    /// scipy 1.17.1: `2 * t.sf(t, df)` and `t.ppf((1 + confidence) / 2, df)`.
    #[test]
    fn t_equals_that_of_scipy() {
        for (t, df, p) in [
            (0.1, 1.0, 0.936_548_965_138_893),
            (0.1, 2.0, 0.929_465_438_414_140_2),
            (0.1, 7.0, 0.923_148_059_604_792_4),
            (0.1, 29.0, 0.921_032_444_487_373_9),
            (0.1, 616.0, 0.920_376_861_160_032_1),
            (0.1, 20_000.0, 0.920_345_327_744_816_9),
            (1.0, 1.0, 0.500_000_000_000_000_1),
            (1.0, 2.0, 0.422_649_730_810_374_2),
            (1.0, 7.0, 0.350_616_662_820_207_4),
            (1.0, 29.0, 0.325_581_988_016_193_65),
            (1.0, 616.0, 0.317_703_158_018_035_4),
            (1.0, 20_000.0, 0.317_322_606_247_907_04),
            (2.5, 1.0, 0.242_237_883_181_686_82),
            (2.5, 2.0, 0.129_611_720_221_510_82),
            (2.5, 7.0, 0.040_992_218_585_752_89),
            (2.5, 29.0, 0.018_325_344_338_426_086),
            (2.5, 616.0, 0.012_678_222_720_592_951),
            (2.5, 20_000.0, 0.012_427_274_131_994_228),
            (8.0, 1.0, 0.079_166_848_321_131_09),
            (8.0, 2.0, 0.015_268_072_165_338_14),
            (8.0, 7.0, 9.114_921_170_875_357e-05),
            (8.0, 29.0, 8.012_575_649_631_688e-09),
            (8.0, 616.0, 6.190_596_915_508_386e-15),
            (8.0, 20_000.0, 1.311_489_859_650_046_7e-15),
        ] {
            assert_close(t_two_sided(t, df), p);
            assert_close(t_two_sided(-t, df), p);
        }
        for (confidence, df, t) in [
            (0.5, 1.0, 1.000_000_000_000_000_2),
            (0.5, 2.0, 0.816_496_580_927_726_1),
            (0.5, 9.0, 0.702_722_146_751_326_4),
            (0.5, 616.0, 0.674_888_230_641_587_9),
            (0.95, 1.0, 12.706_204_736_174_694),
            (0.95, 2.0, 4.302_652_729_749_462),
            (0.95, 9.0, 2.262_157_162_798_205),
            (0.95, 616.0, 1.963_822_523_421_448),
            (0.999, 1.0, 636.619_248_768_789_7),
            (0.999, 2.0, 31.599_054_576_445_365),
            (0.999, 9.0, 4.780_912_585_931_217),
            (0.999, 616.0, 3.306_390_846_518_345),
        ] {
            assert_close(t_critical(confidence, df), t);
        }
        assert_eq!(t_two_sided(0.0, 3.0), 1.0);
        assert_eq!(t_two_sided(f64::INFINITY, 3.0), 0.0);
    }

    /// scipy 1.17.1: `chi2.sf(x, df)` and `f.sf(x, d1, d2)`.
    #[test]
    fn chi_squared_and_f_equal_those_of_scipy() {
        for (x, df, p) in [
            (0.1, 1.0, 0.751_829_634_045_849_2),
            (0.1, 3.0, 0.991_837_423_731_876_4),
            (0.1, 29.0, 1.0),
            (0.1, 200.0, 1.0),
            (1.0, 1.0, 0.317_310_507_862_911_15),
            (1.0, 3.0, 0.801_251_956_901_200_9),
            (1.0, 29.0, 0.999_999_999_999_999_9),
            (1.0, 200.0, 1.0),
            (9.28, 1.0, 0.002_316_694_291_487_750_4),
            (9.28, 3.0, 0.025_790_724_198_756_772),
            (9.28, 29.0, 0.999_811_746_323_013_3),
            (9.28, 200.0, 1.0),
            (40.0, 1.0, 2.539_628_589_470_863_4e-10),
            (40.0, 3.0, 1.065_509_033_425_585e-08),
            (40.0, 29.0, 0.083_936_898_491_518_3),
            (40.0, 200.0, 1.0),
            (300.0, 1.0, 3.294_362_383_313_978_4e-67),
            (300.0, 3.0, 9.948_758_346_327_588e-65),
            (300.0, 29.0, 8.132_820_271_737_761e-47),
            (300.0, 200.0, 5.924_540_335_483_916e-06),
        ] {
            assert_close(chi_squared_upper(x, df), p);
        }
        for (x, d1, d2, p) in [
            (0.1, 1.0, 5.0, 0.764_604_776_788_792_7),
            (0.1, 3.0, 39.0, 0.959_531_089_325_534_5),
            (0.1, 29.0, 17_864.0, 0.999_999_999_829_585_9),
            (0.1, 2.0, 2.0, 0.909_090_909_090_909_1),
            (0.9, 1.0, 5.0, 0.386_345_525_139_916_1),
            (0.9, 3.0, 39.0, 0.449_902_327_585_471_1),
            (0.9, 29.0, 17_864.0, 0.620_106_404_160_142_5),
            (0.9, 2.0, 2.0, 0.526_315_789_473_684_2),
            (3.69, 1.0, 5.0, 0.112_793_043_768_508_97),
            (3.69, 3.0, 39.0, 0.019_744_099_689_488_88),
            (3.69, 29.0, 17_864.0, 7.849_143_922_681_47e-11),
            (3.69, 2.0, 2.0, 0.213_219_616_204_690_85),
            (12.0, 1.0, 5.0, 0.017_962_884_609_943_96),
            (12.0, 3.0, 39.0, 1.045_761_793_316_936_7e-05),
            (12.0, 29.0, 17_864.0, 9.328_605_025_854_788e-56),
            (12.0, 2.0, 2.0, 0.076_923_076_923_076_93),
        ] {
            assert_close(f_upper(x, d1, d2), p);
        }
        assert_eq!(f_upper(f64::INFINITY, 3.0, 9.0), 0.0);
    }

    #[test]
    fn a_root_that_is_not_reached_is_infinite() {
        assert_eq!(root(|_| 0.5, 0.9), f64::INFINITY);
        assert_eq!(root(|x| x / (1.0 + x), 0.0), 0.0);
        assert!((root(|x| x / (1.0 + x), 0.999) - 999.0).abs() < 1e-8);
    }
}
