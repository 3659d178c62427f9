//! The identity of a plugin in keys and records.

use molarena_data::sha256_hex;
use molarena_sdk::PluginDescription;

/// `ID=HASH` of the sources of each plugin of the workspace that this host was built in, separated by spaces.
const OWN: Option<&str> = option_env!("MOLARENA_OWN_PLUGINS");

/// The identity of a plugin in keys and records.
///
/// A plugin of the workspace that this host was built in is identified by a hash of its sources and locked
/// dependencies, its target and its features, so that two builds of the same sources are the same plugin.
/// Every other plugin is identified by `bytes_sha256`, the hash of its file; so is a workspace plugin that
/// was built from other sources than those the host was built beside.
///
/// The plugin states the hash of its own sources, and the host believes it if id and hash match those that
/// the host was built with. This tells builds apart but does not stop forgers, who can copy both into a
/// library of their own. Step records therefore have the hash of the file as well.
pub fn identity(description: &PluginDescription, bytes_sha256: &str) -> String {
    by_sources(description, OWN.unwrap_or_default()).unwrap_or_else(|| bytes_sha256.to_owned())
}

/// Whether a plugin of the workspace that this host was built in has the id.
pub fn is_own(id: &str) -> bool {
    OWN.unwrap_or_default().split(' ').any(|plugin| plugin.split_once('=').is_some_and(|(own, _)| own == id))
}

fn by_sources(description: &PluginDescription, own: &str) -> Option<String> {
    let PluginDescription { id, source_sha256: Some(source), source_build: Some(build), .. } = description
    else {
        return None;
    };
    let known = own.split(' ').filter_map(|plugin| plugin.split_once('='));
    known
        .filter(|&known| known == (id, source))
        .map(|_| sha256_hex(format!("molarena.identity/1\n{source}\n{build}\n").as_bytes()))
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "mlp=aa baselines=bb";

    fn plugin(id: &str, source: Option<&str>, build: Option<&str>) -> PluginDescription {
        PluginDescription {
            id: id.into(),
            version: "1.0.0".into(),
            licence: "MIT".into(),
            components: Vec::new(),
            source_sha256: source.map(str::to_owned),
            source_build: build.map(str::to_owned),
        }
    }

    #[test]
    fn the_sources_of_a_plugin_of_ours_are_its_identity() {
        let one = by_sources(&plugin("mlp", Some("aa"), Some("target x")), OURS).unwrap();
        assert_eq!(one.len(), 64);
        assert_ne!(one, "aa", "the build is part of it");
        let again = by_sources(&plugin("mlp", Some("aa"), Some("target x")), OURS);
        assert_eq!(again, Some(one.clone()), "whatever the file's bytes");
        let other = by_sources(&plugin("mlp", Some("aa"), Some("target x; features cuda")), OURS);
        assert!(other.is_some_and(|other| other != one), "other features are another plugin");
    }

    #[test]
    fn a_foreign_claim_is_not_believed() {
        for (id, source, build) in [
            ("mlp", None, Some("target x")),
            ("mlp", Some("aa"), None),
            ("mlp", Some("cc"), Some("target x")),
            ("mlp", Some("bb"), Some("target x")),
            ("mlp", Some(""), Some("target x")),
            ("other", Some("aa"), Some("target x")),
            ("", Some(""), Some("target x")),
        ] {
            let plugin = plugin(id, source, build);
            assert_eq!(by_sources(&plugin, OURS), None, "{plugin:?}");
            assert_eq!(by_sources(&plugin, ""), None, "a host without a workspace believes nobody");
            assert_eq!(identity(&plugin, "the file's"), "the file's");
        }
    }

    #[test]
    fn this_host_knows_the_plugins_beside_it() {
        let ids: Vec<&str> =
            OWN.unwrap().split(' ').map(|plugin| plugin.split_once('=').unwrap().0).collect();
        assert_eq!(
            ids,
            [
                "baselines",
                "contrastive",
                "gnn",
                "infoalign",
                "language",
                "linfa",
                "mlp",
                "onnx",
                "selfsupervised"
            ]
        );
        assert!(is_own("mlp") && !is_own("ml") && !is_own(""));
    }
}
