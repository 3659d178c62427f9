"""Makes small random transformers as `transformers` saves them, and their vectors of some molecules, for tests/golden/language.rs.

    python language.py

Writes language/NAME.tar and language/vectors.csv beside itself. Needs torch, transformers and tokenizers (2.15.0, 5.24.0 and 0.23.3
were used).
"""

import csv
import io
import tarfile
import tempfile
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent / "language"
SMILES = [
    "C", "CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "[Na+].[Cl-]",
    "C[C@@H](N)C(=O)O", "O=C(O)c1ccccc1O", "FC(F)(F)c1ccc(Br)cc1", "CCOC(=O)CC", "CCCCCCCCCCCCCCCC",
]
SIZES = dict(vocab_size=96, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, initializer_range=0.3)


def bytes_of_pairs(special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted({character for text in SMILES for character in text})
    trainer = trainers.BpeTrainer(vocab_size=80, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SMILES, trainer)
    return tokenizer


def roberta():
    tokenizer = bytes_of_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    config = transformers.RobertaConfig(**SIZES, max_position_embeddings=66, type_vocab_size=1)
    model = transformers.RobertaForMaskedLM(config)
    return tokenizer, model, model.roberta


def bert():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[[^\]]+\]|Br|Cl|."), "isolated")
    trainer = trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.train_from_iterator(SMILES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    model = transformers.BertModel(transformers.BertConfig(**SIZES, max_position_embeddings=64), add_pooling_layer=False)
    return tokenizer, model, model


def gpt2():
    config = transformers.GPT2Config(
        vocab_size=96, n_embd=16, n_layer=2, n_head=4, n_inner=24, n_positions=64, initializer_range=0.3,
        scale_attn_by_inverse_layer_idx=True, bos_token_id=0, eos_token_id=0,
    )
    model = transformers.GPT2LMHeadModel(config)
    return bytes_of_pairs(["<|endoftext|>"]), model, model.transformer


def gpt_neo():
    config = transformers.GPTNeoConfig(
        vocab_size=96, hidden_size=16, num_layers=2, num_heads=4, intermediate_size=24, max_position_embeddings=64, window_size=3,
        attention_types=[[["global", "local"], 1]], initializer_range=0.3, bos_token_id=0, eos_token_id=0,
    )
    model = transformers.GPTNeoForCausalLM(config)
    return bytes_of_pairs(["<|endoftext|>"]), model, model.transformer


def t5():
    tokenizer = Tokenizer(models.Unigram())
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    tokenizer.train_from_iterator(SMILES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", 1)])
    config = transformers.T5Config(
        vocab_size=96, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4, feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=8, relative_attention_max_distance=16, initializer_factor=1.0, decoder_start_token_id=0,
    )
    model = transformers.T5ForConditionalGeneration(config)
    return tokenizer, model, model.encoder


def archive(name, tokenizer, model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save(f"{folder}/tokenizer.json")
        if name == "bert":
            # As older versions saved it.
            Path(folder, "model.safetensors").unlink()
            torch.save(model.state_dict(), f"{folder}/pytorch_model.bin")
        with tarfile.open(HERE / f"{name}.tar", "w") as tar:
            for file in ["config.json", "tokenizer.json", "model.safetensors", "pytorch_model.bin"]:
                if Path(folder, file).exists():
                    data = Path(folder, file).read_bytes()
                    entry = tarfile.TarInfo(f"{name}/{file}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))


HERE.mkdir(exist_ok=True)
with open(HERE / "vectors.csv", "w", newline="") as table:
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["model", "pooling", "smiles"] + [f"v{column}" for column in range(16)])
    for make in [roberta, bert, gpt2, gpt_neo, t5]:
        torch.manual_seed(20260101)
        tokenizer, model, body = make()
        model.eval()
        # Norms and biases that are not those of a new network.
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.data += 0.1 * torch.randn_like(parameter)
        archive(make.__name__, tokenizer, model)
        for smiles in SMILES:
            tokens = torch.tensor([tokenizer.encode(smiles).ids])
            with torch.no_grad():
                hidden = body(input_ids=tokens).last_hidden_state[0]
            for pooling, vector in [("mean", hidden.mean(0)), ("first", hidden[0]), ("last", hidden[-1])]:
                rows.writerow([make.__name__, pooling, smiles] + [f"{value:.7g}" for value in vector.tolist()])
