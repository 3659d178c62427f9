//! The C header agrees with the Rust source, and a plugin written against it alone works.

use std::{
    collections::BTreeSet,
    mem::{offset_of, size_of},
    path::{Path, PathBuf},
    process::Command,
    ptr, slice,
};

use libloading::Library;
use molarena_abi::*;
use molarena_sdk::{
    Call, ComponentKind, Inputs, Labels, OwnedLabels, PluginDescription, Smiles, TaskKind, raw,
};
use tempfile::TempDir;

const STRICT: [&str; 5] = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"];

fn path(relative: &str) -> PathBuf {
    xtask::root().join(relative)
}

/// Runs `compiler` with the header's folder; panics with its output if it fails.
fn compile(compiler: &str, arguments: &[&str], source: &Path, output: &Path) {
    let run = Command::new(compiler)
        .args(arguments)
        .arg("-I")
        .arg(path("framework/abi/include"))
        .args([source, Path::new("-o"), output])
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(run.status.success(), "{compiler}: {}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_committed_header_is_what_the_source_gives() {
    xtask::header::run(xtask::Mode::Check).unwrap();
}

macro_rules! layout {
    ($($type:ident: $($field:ident)*;)*) => {{
        let mut lines = Vec::new();
        $(
            lines.push(format!("{} {}", stringify!($type), size_of::<$type>()));
            $(lines.push(format!(
                "{}.{} {}", stringify!($type), stringify!($field), offset_of!($type, $field)
            ));)*
        )*
        lines
    }};
}

/// Sizes and offsets in Rust, in the order of `sizes.c`.
fn rust_layout() -> Vec<String> {
    layout! {
        MolarenaStr: data len;
        MolarenaError: struct_size code message message_len release private_data;
        MolarenaCall: struct_size threads seed device context progress cancelled folder;
        MolarenaSmiles: bytes offsets;
        MolarenaBits: words n_bits words_per_row;
        MolarenaDense: values columns;
        MolarenaGraphs: atom_offsets bond_offsets atom_features bond_index bond_features;
        MolarenaInputs: struct_size reserved rows smiles bits dense graphs;
        MolarenaLabels: struct_size task_kind rows tasks values valid;
        MolarenaOutput: struct_size reserved values capacity rows columns;
        MolarenaBlob: struct_size reserved data len release private_data;
        MolarenaProfiles: struct_size node_kind space rows columns nodes values batches cell_counts;
        MolarenaCorpus: struct_size reserved nodes node_kinds molecules molecule_nodes space_count spaces edges
            edge_sources edge_targets edge_weights;
        MolarenaHost: struct_size abi_major abi_minor reserved get_extension;
        MolarenaPlugin: struct_size abi_major abi_minor reserved init deinit describe get_factory;
        MolarenaBaselineFactory: struct_size reserved create fit output_shape predict save load destroy
            get_extension;
        MolarenaEncoderFactory: struct_size reserved create fit output_shape encode save load destroy
            get_extension;
        MolarenaDecoderFactory: struct_size reserved create output_shape decode score save load destroy
            get_extension;
        MolarenaFineTune: struct_size reserved create fit output_shape predict save load destroy;
    }
}

#[test]
fn c_and_rust_agree_on_every_size_and_offset() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("sizes");
    compile("cc", &STRICT, &path("tests/conformance/sizes.c"), &program);
    let run = Command::new(&program).output().unwrap();
    let printed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), rust_layout());
}

/// Fields of a header's structs: `Name.field`, including function pointers.
fn fields_of_the_header(header: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let mut open = None;
    for line in header.lines() {
        if let Some(rest) = line.strip_prefix("typedef struct ") {
            open = rest.split(' ').next();
        } else if line.starts_with('}') {
            open = None;
        } else if let Some(declaration) =
            line.strip_prefix("    ").filter(|text| !text.starts_with([' ', '/']))
            && let Some(name) = open
        {
            let field = match declaration.split_once("(*") {
                Some((_, pointer)) => pointer.split(')').next().unwrap(),
                None => declaration.trim_end_matches(';').rsplit([' ', '*']).next().unwrap(),
            };
            fields.insert(format!("{name}.{field}"));
        }
    }
    fields
}

#[test]
fn the_layout_test_leaves_no_struct_and_no_field_out() {
    let header = xtask::header::generate().unwrap();
    let checked: BTreeSet<String> = rust_layout()
        .iter()
        .filter_map(|line| line.split(' ').next().filter(|name| name.contains('.')).map(str::to_owned))
        .collect();
    assert_eq!(fields_of_the_header(&header), checked);
}

#[test]
fn the_header_is_also_cpp() {
    if Command::new("c++").arg("--version").output().is_err() {
        eprintln!("skipped: no c++ here");
        return;
    }
    let folder = TempDir::new().unwrap();
    let arguments = ["-x", "c++", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    compile("c++", &arguments, &path("tests/conformance/sizes.c"), &folder.path().join("sizes"));
}

/// Compiles the plugin in C and opens it. The library stays open, so the file may be deleted.
#[expect(unsafe_code, reason = "opens a library")]
fn c_plugin() -> Library {
    let folder = TempDir::new().unwrap();
    let name = format!("{}molarena_c_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let library = folder.path().join(name);
    let arguments: Vec<&str> = STRICT.into_iter().chain(["-O1", "-shared", "-fPIC"]).collect();
    compile("cc", &arguments, &path("tests/fixtures/c-plugin/constant.c"), &library);
    // SAFETY: the library is ours and has no initialisers.
    unsafe { Library::new(&library) }.unwrap()
}

#[expect(unsafe_code, reason = "calls the exported symbol")]
fn table(library: &Library) -> &MolarenaPlugin {
    // SAFETY: the symbol has this type, and the table lives as long as the library.
    unsafe {
        let entry = library.get::<MolarenaEntry>(ENTRY_SYMBOL).unwrap();
        &*entry()
    }
}

#[test]
#[expect(unsafe_code, reason = "calls the plugin's table")]
fn the_c_plugin_describes_itself_as_the_sdk_expects() {
    let library = c_plugin();
    let plugin = table(&library);
    assert_eq!((plugin.abi_major, plugin.abi_minor), (ABI_MAJOR, ABI_MINOR));
    assert_eq!(plugin.struct_size as usize, size_of::<MolarenaPlugin>());
    // SAFETY: the plugin follows the ABI.
    let text = unsafe { raw::str_from(plugin.describe.unwrap()()) }.unwrap();
    let description: PluginDescription = serde_json::from_str(text).unwrap();
    assert_eq!(description.id, "c-plugin");
    let component = &description.components[0];
    assert_eq!((component.kind, component.id.as_str()), (ComponentKind::Baseline, "constant"));
}

/// An instance of `constant` behind the factory's table.
struct Constant<'a> {
    factory: &'a MolarenaBaselineFactory,
    handle: MolarenaHandle,
}

#[expect(unsafe_code, reason = "calls the plugin's table")]
impl<'a> Constant<'a> {
    fn new(library: &'a Library, config: &str) -> Result<Self, i32> {
        // SAFETY: the plugin follows the ABI, here and below.
        unsafe {
            let factory = table(library).get_factory.unwrap()(raw::text(BASELINE_FACTORY));
            let factory = &*factory.cast::<MolarenaBaselineFactory>();
            let mut handle = ptr::null_mut();
            let create = factory.create.unwrap();
            match create(raw::text("constant"), raw::text(config), &raw mut handle, ptr::null_mut()) {
                MOLARENA_OK => Ok(Self { factory, handle }),
                status => Err(status),
            }
        }
    }

    fn fit(&self, train: Inputs<'_>, labels: Labels<'_>) -> i32 {
        let (train, labels) = (train.to_abi(), labels.to_abi());
        let (train, labels) = (&raw const train, &raw const labels);
        let fit = self.factory.fit.unwrap();
        Call::new(0, 1).with_abi(|call| {
            // SAFETY: as above.
            unsafe { fit(self.handle, train, labels, train, labels, call, ptr::null_mut()) }
        })
    }

    /// Status, rows and columns; the predictions go into `values`.
    fn predict(&self, inputs: Inputs<'_>, values: &mut [f32]) -> (i32, u64, u64) {
        let mut output = MolarenaOutput {
            struct_size: raw::size_of::<MolarenaOutput>(),
            reserved: 0,
            values: values.as_mut_ptr(),
            capacity: values.len() as u64,
            rows: 0,
            columns: 0,
        };
        let (inputs, predict) = (inputs.to_abi(), self.factory.predict.unwrap());
        let status = Call::new(0, 1).with_abi(|call| {
            // SAFETY: as above.
            unsafe { predict(self.handle, &raw const inputs, &raw mut output, call, ptr::null_mut()) }
        });
        (status, output.rows, output.columns)
    }

    fn save(&self) -> Vec<u8> {
        let mut blob = MolarenaBlob {
            struct_size: raw::size_of::<MolarenaBlob>(),
            reserved: 0,
            data: ptr::null(),
            len: 0,
            release: None,
            private_data: ptr::null_mut(),
        };
        // SAFETY: as above; the bytes are copied before they are released.
        unsafe {
            assert_eq!(self.factory.save.unwrap()(self.handle, &raw mut blob, ptr::null_mut()), MOLARENA_OK);
            let bytes = slice::from_raw_parts(blob.data, blob.len as usize).to_vec();
            blob.release.unwrap()(&raw mut blob);
            bytes
        }
    }

    fn load(&self, state: &[u8]) -> i32 {
        // SAFETY: as above.
        unsafe {
            self.factory.load.unwrap()(self.handle, state.as_ptr(), state.len() as u64, ptr::null_mut())
        }
    }
}

#[expect(unsafe_code, reason = "calls the plugin's table")]
impl Drop for Constant<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle came from this factory and is not used again.
        unsafe { self.factory.destroy.unwrap()(self.handle) }
    }
}

#[test]
fn the_c_plugin_predicts_the_mean_of_the_labels_that_are_there() {
    let library = c_plugin();
    let molecules = Inputs::from_smiles(Smiles::new("CCCCO", &[0, 1, 3, 5]).unwrap());
    let missing = f32::NAN;
    let values = vec![1.0, missing, 0.0, missing, 1.0, missing];
    let labels = OwnedLabels::from_nan(TaskKind::Classification, 3, 2, values).unwrap();

    let constant = Constant::new(&library, "{}").unwrap();
    let mut output = [-1.0; 6];
    assert_eq!(constant.predict(molecules, &mut output).0, MOLARENA_ERROR_INVALID_ARGUMENT);
    assert_eq!(constant.fit(molecules, labels.view()), MOLARENA_OK);
    assert_eq!(constant.predict(molecules, &mut output), (MOLARENA_OK, 3, 2));
    assert_eq!(output, [2.0 / 3.0, 0.5, 2.0 / 3.0, 0.5, 2.0 / 3.0, 0.5]);

    let restored = Constant::new(&library, "").unwrap();
    assert_eq!(restored.load(&constant.save()), MOLARENA_OK);
    let mut too_small = [-1.0; 5];
    assert_eq!(restored.predict(molecules, &mut too_small), (MOLARENA_OK, 3, 2));
    assert_eq!(too_small, [-1.0; 5]);
    assert_eq!(restored.load(&[0]), MOLARENA_ERROR_INVALID_ARGUMENT);
}

#[test]
fn the_c_plugin_refuses_a_configuration() {
    let library = c_plugin();
    assert_eq!(Constant::new(&library, " { }\n").err(), None);
    assert_eq!(Constant::new(&library, "{\"trees\": 3}").err(), Some(MOLARENA_ERROR_INVALID_CONFIG));
}
