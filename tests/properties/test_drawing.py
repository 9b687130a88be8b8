from __future__ import annotations

import gc

from conformance.properties.drawing import without_old_garbage


def test_existing_objects_are_hidden_from_the_garbage_collector_for_a_while() -> None:
    gc.unfreeze()  # the tests hide what pytest imports
    try:
        with without_old_garbage():
            assert gc.get_freeze_count() > 0
        assert gc.get_freeze_count() == 0
    finally:
        gc.freeze()


def test_objects_that_a_process_hides_stay_hidden() -> None:
    gc.freeze()
    with without_old_garbage():
        pass
    assert gc.get_freeze_count() > 0
