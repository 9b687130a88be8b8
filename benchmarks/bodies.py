"""Generate bodies of ``GET /api/queue`` from a seed, shaped like the jobs that users submit.

A workflow is the API graph of an image generation: loaders, prompts of some hundred characters, samplers, and links
between them. A large workflow also has nodes of extensions, with two dozen inputs each. A workflow with 60 nodes has 24
kB. All values are made up, and no code of the package is used.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final

NOW: Final = 1_763_913_600_000
WORDS: Final = (
    "masterpiece",
    "best quality",
    "(detailed eyes:1.2)",
    "a cat on a mat",
    "café at night",
    "neon lights",
    "35mm",
    "soft focus",
    "watercolour",
    "by the sea",
    "[sharp|blurred]",
    "volumetric fog",
    "<lora:ink:0.8>",
    "8k",
    "portrait of an old sailor",
    "rain",
)

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
    (
        3,
        "KSampler",
        lambda rng, link: (
            "KSampler",
            {
                "seed": _seed(rng),
                "steps": rng.randint(8, 60),
                "cfg": round(rng.uniform(1, 12), 2),
                "sampler_name": "dpmpp_2m",
                "scheduler": "karras",
                "denoise": round(rng.random(), 2),
                "model": link(),
                "positive": link(),
                "negative": link(),
                "latent_image": link(),
            },
        ),
    ),
    (3, "VAE Decode", lambda _, link: ("VAEDecode", {"samples": link(), "vae": link()})),
    (
        2,
        "Empty Latent Image",
        lambda rng, _: ("EmptyLatentImage", {"width": _side(rng), "height": _side(rng), "batch_size": 1}),
    ),
    (
        3,
        "Load LoRA",
        lambda rng, link: (
            "LoraLoader",
            {
                "lora_name": f"ink_{rng.randint(1, 99)}.safetensors",
                "strength_model": round(rng.random(), 2),
                "strength_clip": 1.0,
                "model": link(),
                "clip": link(),
            },
        ),
    ),
    (
        2,
        "Apply ControlNet",
        lambda rng, link: (
            "ControlNetApplyAdvanced",
            {
                "strength": round(rng.random(), 2),
                "start_percent": 0,
                "end_percent": 1,
                "positive": link(),
                "negative": link(),
                "control_net": link(),
                "image": link(),
            },
        ),
    ),
    (
        2,
        "Upscale Image",
        lambda rng, link: (
            "ImageScale",
            {"upscale_method": "lanczos", "width": 2 * _side(rng), "height": 2048, "crop": "disabled", "image": link()},
        ),
    ),
    (3, "Save Image", lambda rng, link: ("SaveImage", {"filename_prefix": f"out/{_seed(rng):x}", "images": link()})),
)
_OF_EXTENSIONS: Final[tuple[tuple[int, str, Node], ...]] = (
    (
        9,
        "FaceDetailer",
        lambda rng, link: (
            "FaceDetailer",
            {
                "guide_size": _side(rng),
                "guide_size_for": True,
                "max_size": 1024,
                "seed": _seed(rng),
                "steps": rng.randint(8, 60),
                "cfg": round(rng.uniform(1, 12), 2),
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": round(rng.random(), 2),
                "feather": 5,
                "noise_mask": True,
                "force_inpaint": True,
                "bbox_threshold": 0.5,
                "bbox_dilation": 10,
                "bbox_crop_factor": 3.0,
                "sam_detection_hint": "center-1",
                "sam_dilation": 0,
                "sam_threshold": 0.93,
                "sam_bbox_expansion": 0,
                "sam_mask_hint_threshold": 0.7,
                "sam_mask_hint_use_negative": "False",
                "drop_size": 10,
                "wildcard": "",
                "cycle": 1,
                "image": link(),
                "model": link(),
                "clip": link(),
                "vae": link(),
                "positive": link(),
                "negative": link(),
                "bbox_detector": link(),
            },
        ),
    ),
    (
        9,
        "Ultimate SD Upscale",
        lambda rng, link: (
            "UltimateSDUpscale",
            {
                "upscale_by": 2,
                "seed": _seed(rng),
                "steps": rng.randint(8, 60),
                "cfg": round(rng.uniform(1, 12), 2),
                "sampler_name": "dpmpp_2m",
                "scheduler": "karras",
                "denoise": round(rng.random(), 2),
                "mode_type": "Linear",
                "tile_width": _side(rng),
                "tile_height": _side(rng),
                "mask_blur": 8,
                "tile_padding": 32,
                "seam_fix_mode": "None",
                "seam_fix_denoise": 1,
                "seam_fix_width": 64,
                "seam_fix_mask_blur": 8,
                "seam_fix_padding": 16,
                "force_uniform_tiles": True,
                "tiled_decode": False,
                "image": link(),
                "model": link(),
                "positive": link(),
                "negative": link(),
                "vae": link(),
                "upscale_model": link(),
            },
        ),
    ),
)
_GROWN: Final = 10
"""In a workflow with more nodes than this, some of the further nodes belong to extensions."""


def workflow(rng: random.Random, nodes: int) -> dict[str, Any]:
    """Return a workflow in API format, in which links name only earlier nodes."""
    graph: dict[str, Any] = {}
    for number in range(1, nodes + 1):
        known = _NODES if number <= _GROWN else _NODES + _OF_EXTENSIONS
        ((_, title, make),) = rng.choices(known, [weight for weight, *_ in known])
        class_type, inputs = make(rng, lambda: [str(rng.randint(1, max(1, len(graph)))), rng.randint(0, 2)])
        graph[str(number)] = {"inputs": inputs, "class_type": class_type, "_meta": {"title": title}}
    return graph


def job(rng: random.Random, number: int, nodes: int) -> Job:
    """Return a conforming job."""
    prompt_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return [number, prompt_id, workflow(rng, nodes), [str(nodes)], {"create_time": NOW + 1000 * number}]


def queue(seed: int, jobs: int, nodes: int = 60) -> list[Job]:
    """Return conforming jobs. The first one runs, the others are pending."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    return [job(rng, number, nodes) for number in range(1, jobs + 1)]


def encoded(jobs: Iterable[Job]) -> bytes:
    """Return the jobs as a JSON body. Each job is encoded separately, to need less memory."""
    texts = [json.dumps(each) for each in jobs]
    return f'{{"queue_running": [{texts[0]}], "queue_pending": [{", ".join(texts[1:])}]}}'.encode()


def body(seed: int, jobs: int, nodes: int = 60) -> bytes:
    """Return a conforming body."""
    return encoded(queue(seed, jobs, nodes))
