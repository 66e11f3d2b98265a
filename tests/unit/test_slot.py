"""The slot: one model at a time, a fair queue, and a state that no failure can spoil."""

import contextlib
import random
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.catalog import ModelSpec
from arena.errors import RunError
from arena.gpu import Gpus
from arena.slot import OVERTAKINGS
from arena.slots import Slots

pytest_plugins = ("nvml",)


@pytest.fixture
def slots(settings):
    opened = Slots(settings, Gpus())
    yield opened
    opened.close()


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"bytes")
    return str(path)


def fake(name, **options):
    return ModelSpec(id=name, title=name, adapter="fake", source="", options=options)


def use(slots, spec, image, prompt="tokens=2", cancel=None):
    """One whole lease. Returns it with the answer's text."""
    with slots.for_(spec).lease(spec, cancel or Cancel()) as lease:
        stages = [waiting.stage for waiting in lease.acquire()]
        text = next(piece.text for piece in lease.predict(Job(image, prompt)) if isinstance(piece, Output))
    return lease, stages, text


def wait_until(true, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_the_same_model_is_joined_and_another_one_takes_its_place(slots, image):
    a, b = fake("a"), fake("b")
    first, stages, _ = use(slots, a, image)
    assert first.cold and first.unload_s is None and first.load_s > 0 and "loading" in stages
    again, stages, _ = use(slots, a, image)
    assert again.cold is False and again.load_s is None and stages == []
    other, _, _ = use(slots, b, image)
    assert other.cold and other.unload_s > 0
    assert slots.status() == [{"device": "cpu", "state": "ready", "model": "b", "busy": False, "waiting": 0}]


def test_two_entries_that_differ_in_quantization_are_two_models(slots, image):
    a = fake("a")
    use(slots, a, image)
    assert use(slots, replace(a, quantization="8bit"), image)[0].cold


def test_a_prepared_worker_is_used_and_holds_no_model(slots, image):
    a, b = fake("a"), fake("b")
    use(slots, a, image)
    slot = slots.for_(b)
    slot.prepare(b)
    prepared = slot._prepared[1]
    assert use(slots, b, image)[0].handle is prepared
    assert slot._prepared is None


@pytest.mark.battery("G10")
def test_those_who_wait_see_their_place_and_are_served_in_order(slots, image):
    order, places = [], {name: [] for name in "abc"}

    def visitor(name):
        spec = fake(name)
        with slots.for_(spec).lease(spec, Cancel()) as lease:
            for waiting in lease.acquire():
                places[name].append(waiting.position)
            order.append(name)

    holder = fake("holder")
    with slots.for_(holder).lease(holder, Cancel()) as lease:
        list(lease.acquire())
        threads = []
        for name in "abc":
            threads.append(threading.Thread(target=visitor, args=(name,)))
            threads[-1].start()
            assert wait_until(lambda: slots.status()[0]["waiting"] == len(threads))
        assert wait_until(lambda: all(places.values())) and order == []
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c"]
    assert places["a"][0] == 1 and places["c"][0] == 3
    queued = [place for place in places["c"] if place]
    assert queued == sorted(queued, reverse=True)


@pytest.mark.battery("G10")
def test_joining_the_loaded_model_cannot_starve_another(slots, image):
    """Many ask for the loaded model behind one who wants another: a few may go first, not all."""
    order = []
    loaded = fake("loaded")
    threads = []

    def visitor(spec):
        with slots.for_(spec).lease(spec, Cancel()) as lease:
            list(lease.acquire())
            order.append(spec.id)

    with slots.for_(loaded).lease(loaded, Cancel()) as lease:
        list(lease.acquire())
        for spec in [fake("other"), *[loaded] * 10]:
            threads.append(threading.Thread(target=visitor, args=(spec,)))
            threads[-1].start()
            assert wait_until(lambda: slots.status()[0]["waiting"] == len(threads))
    for thread in threads:
        thread.join()
    assert order.index("other") == OVERTAKINGS
    assert len(order) == 11


def test_more_than_the_queue_takes_are_refused_at_once(settings):
    slots = Slots(replace(settings, queue_size=1), Gpus())
    a = fake("a")
    with slots.for_(a).lease(a, Cancel()) as holder:
        list(holder.acquire())
        waiting = slots.for_(a).lease(a, Cancel())
        next(waiting.wait_turn())
        with pytest.raises(RunError) as caught, slots.for_(a).lease(a, Cancel()) as refused:
            list(refused.acquire())
        assert caught.value.kind == "busy" and "1" in caught.value.text("ru")
    slots.close()


@pytest.mark.battery("G10")
@pytest.mark.parametrize("stage", ["queued", "loading", "generating"])
def test_a_cancel_frees_the_slot(slots, image, stage):
    holder, spec, cancel = fake("holder"), fake("a", load_delay=0.0), Cancel()
    if stage == "loading":
        spec = fake("a", load_hang=True)
    threading.Timer(0.3, cancel.set).start()
    with slots.for_(holder).lease(holder, Cancel()) as first:
        if stage == "queued":
            list(first.acquire())
        else:
            first.__exit__(None, None, None)
        start = time.monotonic()
        with pytest.raises(RunError) as caught:
            use(slots, spec, image, "hang=1" if stage == "generating" else "", cancel)
    assert caught.value.kind == "cancelled" and time.monotonic() - start < 10
    assert use(slots, fake("next"), image)[2]


@pytest.mark.battery("G1", "G2", "G3")
@pytest.mark.parametrize(
    ("options", "prompt", "kind"),
    [
        ({"load_raise": "no"}, "", "start_failed"),
        ({"load_oom": 1}, "", "out_of_memory"),
        ({"load_crash": 1}, "", "worker_died"),
        ({}, "crash=9", "worker_died"),
        ({}, "crash=11", "worker_died"),
        ({}, "exit=3", "worker_died"),
        ({}, "oom=1", "out_of_memory"),
        ({}, "raise=x", "model_error"),
    ],
)
def test_a_failure_resets_the_slot_and_whoever_waits_is_served(slots, image, options, prompt, kind):
    """One who wants another model and one who wants less of the same wait meanwhile."""
    spec = fake("a", **options)
    with ThreadPoolExecutor(2) as others:
        with pytest.raises(RunError) as caught, slots.for_(spec).lease(spec, Cancel()) as lease:
            list(lease.wait_turn())
            waiting = [others.submit(use, slots, each, image) for each in (fake("b"), fake("a"))]
            assert wait_until(lambda: slots.status()[0]["waiting"] == 2)
            lease.wait_turn = lambda: iter(())  # it has come
            list(lease.acquire())
            list(lease.predict(Job(image, prompt)))
        assert caught.value.kind == kind
        assert [each.result(60)[2] for each in waiting] == [use(slots, fake("a"), image)[2]] * 2
    assert slots.status()[0]["busy"] is False


@pytest.mark.battery("G11")
def test_whoever_leaves_in_the_middle_of_a_load_leaves_no_half_loaded_model(slots, image):
    """Another visitor, with another model, waits meanwhile; whoever leaves is a generator that nobody goes on with."""
    slow = fake("slow", load_delay=60)

    def leaving():
        with slots.for_(slow).lease(slow, Cancel()) as lease:
            yield from lease.acquire()

    load = leaving()
    while next(load).stage != "loading":
        pass
    half_loaded = slots.pids()
    with ThreadPoolExecutor(1) as other:
        served = other.submit(use, slots, fake("next"), image)
        assert wait_until(lambda: slots.status()[0]["waiting"] == 1)
        del load
        lease, _, text = served.result(30)
    assert text and lease.cold and not set(half_loaded) & set(slots.pids())


@pytest.mark.battery("G10")
def test_a_thousand_who_come_and_go_wait_for_nobody_who_came_later(settings):
    """Twenty at a time, first while the device is taken; some are cancelled, some vanish, also with the device."""
    slots, spec, people = Slots(replace(settings, queue_size=20), Gpus()), fake("a"), 20
    slot, entered, served, ended, cancels = slots.for_(spec), [], [], Counter(), deque(maxlen=people)
    first = slot.lease(spec, Cancel())
    assert [*first.wait_turn()] == []

    class Queue(list):
        def append(self, lease):
            super().append(lease)
            entered.append(lease)

    slot._queue = Queue()

    def once(fate):
        lease = slot.lease(spec, Cancel())
        cancels.append(lease.cancel)
        with lease:
            for _ in lease.wait_turn():
                if fate == "vanishes":
                    return fate
                yield
            served.append(lease)
            assert slot._holder is lease
            yield
        return "was served"

    def visitor(number):
        chance = random.Random(number)
        for _ in range(50):
            coming = once(chance.choice(["waits", "waits", "vanishes"]))
            try:
                while True:
                    next(coming)
                    if slot._holder and chance.random() < 0.05:
                        ended["left"] += 1
                        break  # and is forgotten, wherever it was
                    if cancels and chance.random() < 0.2:
                        cancels.pop().set()
            except StopIteration as end:
                ended[end.value] += 1
            except RunError as error:
                ended[error.kind] += 1

    with ThreadPoolExecutor(people) as threads:
        visits = [threads.submit(visitor, number) for number in range(people)]
        deadline = time.monotonic() + 30
        while not (ended["vanishes"] and ended["cancelled"]) and time.monotonic() < deadline:
            time.sleep(0.01)
        first.__exit__(None, None, None)
        for visit in visits:
            visit.result()
    assert served == [lease for lease in entered if lease in set(served)]
    assert sum(ended.values()) == 1000 == len(entered) and set(ended) == {"was served", "vanishes", "left", "cancelled"}
    assert slots.status() == [{"device": "cpu", "state": "stopped", "model": None, "busy": False, "waiting": 0}]
    slots.close()


def test_an_idle_model_is_unloaded(settings, image):
    slots = Slots(replace(settings, idle_unload_s=0.3), Gpus())
    _, _, _ = use(slots, fake("a"), image)
    assert wait_until(lambda: slots.status()[0]["state"] == "stopped")
    assert use(slots, fake("a"), image)[0].cold
    slots.close()


def test_unload_all_waits_for_whoever_is_served(slots, image):
    a = fake("a")
    with slots.for_(a).lease(a, Cancel()) as lease:
        list(lease.acquire())
        unloading = threading.Thread(target=slots.unload_all)
        unloading.start()
        assert next(piece for piece in lease.predict(Job(image, "tokens=3 delay=0.05")) if piece)
    unloading.join(5)
    assert slots.status()[0] == {"device": "cpu", "state": "stopped", "model": None, "busy": False, "waiting": 0}


def test_after_closing_nothing_is_accepted_and_nothing_is_left(settings, image):
    slots = Slots(settings, Gpus())
    worker = use(slots, fake("a"), image)[0].handle
    slots.close()
    assert not worker.alive()
    with pytest.raises(RunError):
        use(slots, fake("a"), image)


def on_gpu(name, **options):
    return replace(fake(name, **options), mode="transformers")


CARD = "gpu total=12288 used=300 name=Test_12GB uuid=GPU-a"


@pytest.fixture
def gpu_slots(settings, nvml):
    """A machine with one 12 GB card, as the stubbed driver tells it."""
    nvml.write(CARD)
    gpus = Gpus()
    opened = Slots(replace(settings, release_timeout_s=0.5), gpus)
    yield opened
    opened.close()
    gpus.close()


@pytest.mark.battery("G8")
def test_the_next_model_comes_after_the_memory_is_back(gpu_slots, nvml, image):
    """The memory of A stays for a while after its process has ended, as drivers do; B waits for it."""
    a, b = on_gpu("a"), on_gpu("b")
    worker = use(gpu_slots, a, image)[0].handle
    assert gpu_slots.for_(a).device == "cuda:0"
    nvml.write(CARD, f"process {worker.pid} 4000 while_alive", "process 999999 200")
    threading.Timer(0.3, lambda: nvml.write(CARD)).start()
    lease, stages, _ = use(gpu_slots, b, image)
    assert "unloading" in stages and lease.unload_s > 0.2


@pytest.mark.battery("G2", "G8")
@pytest.mark.parametrize("options", [{}, {"load_raise": "no weights"}, {"load_oom": 1}])
def test_memory_that_does_not_come_back_is_an_error_that_names_the_holder(gpu_slots, nvml, image, options):
    """Whether the model before answered or did not even load."""
    with pytest.raises(RunError) if options else contextlib.nullcontext():
        use(gpu_slots, on_gpu("a", **options), image)
    nvml.write(CARD, "process 999999 4000")
    with pytest.raises(RunError) as caught:
        use(gpu_slots, on_gpu("b"), image)
    assert caught.value.kind == "vram_not_released"
    assert "4000" in caught.value.text("ru") and "999999" in caught.value.text("en")
    with pytest.raises(RunError):  # it is not forgotten either
        use(gpu_slots, on_gpu("b"), image)
    nvml.write(CARD)
    assert use(gpu_slots, on_gpu("b"), image)[2]


@pytest.mark.battery("G8")
def test_what_another_program_takes_meanwhile_is_not_ours(gpu_slots, nvml, image):
    use(gpu_slots, on_gpu("a"), image)
    nvml.write(CARD, "process 1 4000")  # a process that lives and is not ours
    assert use(gpu_slots, on_gpu("b"), image)[2]


def test_the_worker_sees_the_metered_device_and_no_other(gpu_slots, image):
    text = use(gpu_slots, on_gpu("a"), image, "environ=CUDA_VISIBLE_DEVICES")[2]
    assert text == "GPU-a "
    assert use(gpu_slots, fake("a"), image, "environ=CUDA_VISIBLE_DEVICES")[2] == " "
