"""Fresh bodies of ``GET /api/queue`` from a seed, conforming or with faults, shaped like what users queue.

A workflow is the API graph of an image generation: loaders, prompts of some hundred characters, samplers, links between
them. Nothing is taken from anybody; nothing of the package is used.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

NOW: Final = 1_763_913_600_000
WORDS: Final = (
    "masterpiece", "best quality", "(detailed eyes:1.2)", "a cat on a mat", "café at night", "neon lights", "35mm",
    "soft focus", "watercolour", "by the sea", "[sharp|blurred]", "volumetric fog", "<lora:ink:0.8>", "8k",
    "portrait of an old sailor", "rain",
)  # fmt: skip

Job = list[Any]
Node = Callable[[random.Random, Callable[[], list[Any]]], tuple[str, dict[str, Any]]]


def _prompt(rng: random.Random) -> str:
    return ", ".join(rng.choice(WORDS) for _ in range(rng.randint(10, 40)))


def _seed(rng: random.Random) -> int:
    return rng.randrange(1 << 64)


def _side(rng: random.Random) -> int:
    return rng.choice((512, 768, 1024))


_NODES: Final[tuple[tuple[int, str, Node], ...]] = (
    (1, "Load Checkpoint", lambda rng, _: ("CheckpointLoaderSimple", {"ckpt_name": f"sd_{rng.randint(1, 9)}.ckpt"})),
    (4, "CLIP Text Encode (Prompt)", lambda rng, link: ("CLIPTextEncode", {"text": _prompt(rng), "clip": link()})),
    (3, "KSampler", lambda rng, link: ("KSampler", {
        "seed": _seed(rng), "steps": rng.randint(8, 60), "cfg": round(rng.uniform(1, 12), 2),
        "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": round(rng.random(), 2), "model": link(),
        "positive": link(), "negative": link(), "latent_image": link()})),
    (3, "VAE Decode", lambda _, link: ("VAEDecode", {"samples": link(), "vae": link()})),
    (2, "Empty Latent Image", lambda rng, _: ("EmptyLatentImage", {
        "width": _side(rng), "height": _side(rng), "batch_size": 1})),
    (3, "Load LoRA", lambda rng, link: ("LoraLoader", {
        "lora_name": f"ink_{rng.randint(1, 99)}.safetensors", "strength_model": round(rng.random(), 2),
        "strength_clip": 1.0, "model": link(), "clip": link()})),
    (2, "Apply ControlNet", lambda rng, link: ("ControlNetApplyAdvanced", {
        "strength": round(rng.random(), 2), "start_percent": 0, "end_percent": 1, "positive": link(),
        "negative": link(), "control_net": link(), "image": link()})),
    (2, "Upscale Image", lambda rng, link: ("ImageScale", {
        "upscale_method": "lanczos", "width": 2 * _side(rng), "height": 2048, "crop": "disabled", "image": link()})),
    (3, "Save Image", lambda rng, link: ("SaveImage", {"filename_prefix": f"out/{_seed(rng):x}", "images": link()})),
)  # fmt: skip


def workflow(rng: random.Random, nodes: int) -> dict[str, Any]:
    """Make an API graph whose links all name nodes before them."""
    graph: dict[str, Any] = {}
    weights = [weight for weight, *_ in _NODES]
    for number in range(1, nodes + 1):
        ((_, title, make),) = rng.choices(_NODES, weights)
        class_type, inputs = make(rng, lambda: [str(rng.randint(1, max(1, len(graph)))), rng.randint(0, 2)])
        graph[str(number)] = {"inputs": inputs, "class_type": class_type, "_meta": {"title": title}}
    return graph


def job(rng: random.Random, number: int, nodes: int) -> Job:
    """Make a conforming job."""
    prompt_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return [number, prompt_id, workflow(rng, nodes), [str(nodes)], {"create_time": NOW + 1000 * number}]


def queue(seed: int, jobs: int, nodes: int = 60) -> list[Job]:
    """Make conforming jobs: the first runs, the others wait."""
    rng = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    return [job(rng, number, nodes) for number in range(1, jobs + 1)]


def encoded(jobs: Iterable[Job]) -> bytes:
    """Write them as Python's ``json`` does, the text of each job made by itself: a long list need not fit twice."""
    texts = [json.dumps(each) for each in jobs]
    return f'{{"queue_running": [{texts[0]}], "queue_pending": [{", ".join(texts[1:])}]}}'.encode()


def body(seed: int, jobs: int, nodes: int = 60) -> bytes:
    """Make a conforming body."""
    return encoded(queue(seed, jobs, nodes))
