"""Where Fashion-MNIST is looked for, what is trusted, and how it is downloaded."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import tinygrad_hw as th
from tinygrad_hw.datasets import (
    DatasetError,
    DrawnFashion,
    FashionArrays,
    FashionMNIST,
    download,
    load_drawn_fashion,
    load_fashion_mnist,
)
from tinygrad_hw.datasets import fashion_mnist as fashion
from tinygrad_hw.datasets.idx import format_idx
from tinygrad_hw.utils.data import DataLoader

RNG = np.random.default_rng(0)
ARRAYS = FashionArrays(
    RNG.integers(0, 256, (30, 28, 28), np.uint8),
    RNG.integers(0, 10, 30),
    RNG.integers(0, 256, (20, 28, 28), np.uint8),
    RNG.integers(0, 10, 20),
)
CONTENT = {
    name: format_idx(array.astype(np.uint8))
    for name, array in zip(fashion.FILES, ARRAYS, strict=True)
}
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = CONTENT
DEBIAN = fashion.DEBIAN
real_data = pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist, which CI installs"
)


def fill(folder: Path, *, gz: bool = True) -> Path:
    """Put the four small files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in CONTENT.items():
        write(folder, name, data, gz=gz)
    return folder


def write(folder: Path, name: str, data: bytes, *, gz: bool = True) -> Path:
    path = folder / (f"{name}.gz" if gz else name)
    path.write_bytes(gzip.compress(data) if gz else data)
    return path


def assert_whole(found: FashionArrays) -> None:
    for array, expected in zip(found, ARRAYS, strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == expected.dtype
        assert array.flags.writeable


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def small_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files in place of the real ones, every place empty, no mirror."""
    expected = {
        name: fashion.Expected(len(data), hashlib.sha256(data).hexdigest())
        for name, data in CONTENT.items()
    }
    monkeypatch.setattr(fashion, "FILES", expected)
    monkeypatch.setattr(fashion, "MIRRORS", ())
    monkeypatch.setattr(fashion, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(fashion.VARIABLE, raising=False)
    monkeypatch.setenv("no_proxy", "*")


# Files that are there


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("layout", [".", "FashionMNIST/raw"])
def test_an_explicit_folder(tmp_path: Path, gz: bool, layout: str) -> None:
    fill(tmp_path / "mine" / layout, gz=gz)
    assert_whole(load_fashion_mnist(tmp_path / "mine"))
    assert_whole(load_fashion_mnist(str(tmp_path / "mine")))


def test_a_gzipped_file_without_its_ending_is_read_for_what_it_is(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    for path in folder.iterdir():
        path.rename(path.with_suffix(""))
    assert_whole(load_fashion_mnist(folder))


def test_the_order_of_the_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place in turn has good files and those after it bad ones, which stay unread: to read
    one would warn, and a warning is an error here."""
    monkeypatch.setenv(fashion.VARIABLE, str(tmp_path / "named"))
    places = [tmp_path / "named", fashion.cache_folder(), fashion.DEBIAN]
    for place in places:
        place.mkdir(parents=True)
        for name in CONTENT:
            write(place, name, b"bad")
    assert_whole(load_fashion_mnist(fill(tmp_path / "mine")))
    for place in places:
        fill(place)
        assert_whole(load_fashion_mnist(download=False))
        shutil.rmtree(place)
        monkeypatch.delenv(fashion.VARIABLE, raising=False)


def test_each_file_is_looked_for_by_itself(tmp_path: Path) -> None:
    cache, debian = fill(fashion.cache_folder()), fill(fashion.DEBIAN, gz=False)
    (cache / f"{LABELS}.gz").unlink()
    (debian / IMAGES).unlink()
    assert_whole(load_fashion_mnist(download=False))


def test_one_split_reads_only_its_two_files(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    write(folder, IMAGES, b"bad")
    images, labels = fashion.load_split(False, folder)
    np.testing.assert_array_equal(images, ARRAYS.x_test)
    np.testing.assert_array_equal(labels, ARRAYS.y_test)


# Files that are bad or missing

DAMAGED = {
    "empty": (b"", "begins with nothing"),
    "text": (b"<html>login</html>", "begins with 3c 68 74 6d"),
    "truncated": (CONTENT[IMAGES][:-1], "truncated: 23535 bytes"),
    "longer": (CONTENT[IMAGES] + b"\0", "unpacks to more than"),
    "flipped": (CONTENT[IMAGES][:-1] + b"\xff", "damaged: its SHA-256 is"),
    "wrong type": (b"\0\0\x09" + CONTENT[IMAGES][3:], "damaged: its SHA-256 is"),
    "wrong magic": (b"\0\1" + CONTENT[IMAGES][2:], "not an IDX file: it begins with 00 01 08 03"),
    "fewer images": (format_idx(ARRAYS.x_train[:-1]), r"another file: .*\(29, 28, 28\)"),
    "labels as images": (CONTENT[LABELS], f"mislabelled: it holds {LABELS}, not {IMAGES}"),
    "test as training": (CONTENT[TEST_IMAGES], f"mislabelled: it holds {TEST_IMAGES}"),
}


@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("kind", DAMAGED)
def test_a_bad_file_in_an_explicit_folder_raises(tmp_path: Path, kind: str, gz: bool) -> None:
    data, message = DAMAGED[kind]
    folder, _ = fill(tmp_path / "mine", gz=gz), fill(fashion.DEBIAN)
    path = write(folder, IMAGES, data, gz=gz)
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match=message) as caught:
        load_fashion_mnist(folder, download=True)
    for part in (str(path), "dataset-fashion-mnist", fashion.VARIABLE, "download=True"):
        assert part in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    assert contents(tmp_path) == before


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    path = fill(tmp_path / "mine") / f"{TEST_LABELS}.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(DatasetError, match=r"t10k-labels.*truncated gzip stream"):
        load_fashion_mnist(tmp_path / "mine")
    path.write_bytes(whole[:-8] + bytes(4) + whole[-4:])
    with pytest.raises(DatasetError, match=r"t10k-labels.*damaged gzip stream"):
        load_fashion_mnist(tmp_path / "mine")


def test_a_folder_in_a_files_place_is_a_bad_file(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    (folder / f"{LABELS}.gz").unlink()
    (folder / f"{LABELS}.gz").mkdir()
    with pytest.raises(DatasetError, match=f"{LABELS}.gz cannot be used: .*directory"):
        load_fashion_mnist(folder)


@pytest.mark.parametrize("place", ["missing", "empty", "a file"])
def test_an_explicit_folder_without_the_files_raises(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").touch()
    fill(fashion.DEBIAN)
    with pytest.raises(DatasetError, match=rf"{IMAGES}\[.gz\] is not in .*{place}. To get"):
        load_fashion_mnist(tmp_path / place)


def test_a_bad_file_in_a_usual_place_is_reported_and_passed_over(tmp_path: Path) -> None:
    cache, _ = fill(fashion.cache_folder()), fill(fashion.DEBIAN)
    bad = write(cache, TEST_IMAGES, CONTENT[TEST_LABELS])
    before = contents(tmp_path)
    with pytest.warns(UserWarning, match=f"{bad} cannot be used: mislabelled") as caught:
        assert_whole(load_fashion_mnist())
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert contents(tmp_path) == before


def test_a_named_folder_that_lacks_a_file_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fashion.VARIABLE, str(tmp_path / "misspelt"))
    fill(fashion.DEBIAN)
    with pytest.warns(UserWarning, match=f"misspelt, named by {fashion.VARIABLE}, lacks") as caught:
        assert_whole(load_fashion_mnist())
    assert len(caught) == 4


def test_nothing_anywhere_and_no_download() -> None:
    with pytest.raises(DatasetError, match=r"is not in .*cache.*debian\. To get") as caught:
        load_fashion_mnist(download=False)
    assert "dataset-fashion-mnist" in str(caught.value)


# Downloads, from a server on this machine

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def whole(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def unsized(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(body[: len(body) // 2])


def cut(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body[: len(body) // 2])


def silent(request: BaseHTTPRequestHandler, body: bytes) -> None:
    time.sleep(1.5)


def stalled(request: BaseHTTPRequestHandler, body: bytes) -> None:
    cut(request, body)
    request.wfile.flush()
    time.sleep(1.5)


def hung_up(request: BaseHTTPRequestHandler, body: bytes) -> None:
    pass


def missing(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_error(404)


def login_page(request: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(request, b"<html>Please log in</html>")


def other_file(request: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(request, gzip.compress(CONTENT[TEST_LABELS]))


def plain(request: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(request, gzip.decompress(body))


def endless(request: BaseHTTPRequestHandler, body: bytes) -> None:
    whole(request, bytes(len(body) + 100_000))


class Mirrors:
    """Two mirrors on one server; each path gives its scripted answers, then whole files."""

    def __init__(self, url: str) -> None:
        self.urls = (f"{url}/first/", f"{url}/second/")
        self.script: defaultdict[str, list[Answer]] = defaultdict(list)
        self.asked: list[str] = []

    def first(self, name: str, *answers: Answer) -> None:
        self.script[f"/first/{name}.gz"] += answers

    def second(self, name: str, *answers: Answer) -> None:
        self.script[f"/second/{name}.gz"] += answers

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        body = gzip.compress(CONTENT[Path(request.path).stem])
        script = self.script[request.path]
        (script.pop(0) if script else whole)(request, body)


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Mirrors(f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(fashion, "MIRRORS", found.urls)
        monkeypatch.setattr(download, "TIMEOUT", 1.0)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_a_download_is_kept_and_used_again(mirrors: Mirrors) -> None:
    assert_whole(load_fashion_mnist())
    assert mirrors.asked == [f"/first/{name}.gz" for name in CONTENT]
    kept = contents(fashion.cache_folder())
    assert sorted(Path(path).name for path in kept) == sorted(f"{name}.gz" for name in CONTENT)
    assert_whole(load_fashion_mnist(download=False))
    assert len(mirrors.asked) == 4


def test_only_what_is_missing_is_downloaded(mirrors: Mirrors) -> None:
    (fill(fashion.DEBIAN) / f"{LABELS}.gz").unlink()
    assert_whole(load_fashion_mnist())
    assert mirrors.asked == [f"/first/{LABELS}.gz"]


def test_no_download_where_it_is_not_allowed(tmp_path: Path, mirrors: Mirrors) -> None:
    with pytest.raises(DatasetError, match="is not in"):
        load_fashion_mnist(download=False)
    with pytest.raises(DatasetError, match="is not in"):
        load_fashion_mnist(tmp_path / "mine")
    assert mirrors.asked == []


def test_a_download_into_an_explicit_folder(tmp_path: Path, mirrors: Mirrors) -> None:
    assert_whole(load_fashion_mnist(tmp_path / "mine", download=True))
    assert len(contents(tmp_path / "mine" / "FashionMNIST" / "raw")) == 4
    assert not fashion.cache_folder().exists()
    assert_whole(load_fashion_mnist(tmp_path / "mine"))


@pytest.mark.parametrize("answer", [cut, unsized, stalled, hung_up, login_page, other_file])
def test_what_breaks_off_is_tried_again(mirrors: Mirrors, answer: Answer) -> None:
    mirrors.first(IMAGES, answer)
    assert_whole(load_fashion_mnist())
    assert mirrors.asked[:3] == [f"/first/{IMAGES}.gz"] * 2 + [f"/first/{LABELS}.gz"]
    assert_whole(load_fashion_mnist(download=False))


@pytest.mark.parametrize("answer", [cut, hung_up, login_page, other_file, endless])
def test_what_stays_broken_is_fetched_from_the_second_mirror(
    mirrors: Mirrors, answer: Answer
) -> None:
    mirrors.first(LABELS, answer, answer)
    assert_whole(load_fashion_mnist())
    asked = [path for path in mirrors.asked if LABELS in path]
    assert asked == [f"/first/{LABELS}.gz"] * 2 + [f"/second/{LABELS}.gz"]


def test_a_mirror_that_does_not_stop_is_stopped(mirrors: Mirrors) -> None:
    mirrors.first(LABELS, endless, endless)
    mirrors.second(LABELS, endless, endless)
    with pytest.raises(DatasetError, match=r"first/.*more than \d+ bytes came.*second/.*more than"):
        load_fashion_mnist()


@pytest.mark.parametrize("answer", [missing, silent])
def test_a_missing_file_and_a_silent_mirror_are_asked_for_once(
    mirrors: Mirrors, answer: Answer
) -> None:
    mirrors.first(IMAGES, answer)
    assert_whole(load_fashion_mnist())
    assert mirrors.asked[:2] == [f"/first/{IMAGES}.gz", f"/second/{IMAGES}.gz"]


def test_an_unreachable_mirror_is_passed_over(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion, "MIRRORS", ("http://127.0.0.1:1/", mirrors.urls[1]))
    assert_whole(load_fashion_mnist())
    assert mirrors.asked == [f"/second/{name}.gz" for name in CONTENT]


def test_a_mirror_that_never_connects_takes_one_time_out(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host with many dead addresses, or a name server that drops what it is asked."""

    def unanswered(url: str, timeout: float) -> None:
        time.sleep(10)

    monkeypatch.setattr(urllib.request, "urlopen", unanswered)
    start = time.perf_counter()
    with pytest.raises(DatasetError, match=r"no answer in 1 seconds; .*no answer in 1 seconds"):
        load_fashion_mnist()
    assert time.perf_counter() - start < 5


def test_no_mirror_has_it(mirrors: Mirrors) -> None:
    mirrors.first(LABELS, missing)
    mirrors.second(LABELS, login_page, cut)
    with pytest.raises(DatasetError) as caught:
        load_fashion_mnist()
    message = str(caught.value)
    assert f"{LABELS} could not be downloaded" in message
    assert f"{mirrors.urls[0]}{LABELS}.gz: HTTP Error 404" in message
    assert f"{mirrors.urls[1]}{LABELS}.gz: broke off after" in message
    assert "dataset-fashion-mnist" in message
    # What came whole is kept; nothing half-written is.
    assert [Path(path).name for path in contents(fashion.cache_folder())] == [f"{IMAGES}.gz"]


def test_a_file_that_comes_unzipped_is_kept_under_its_own_name(mirrors: Mirrors) -> None:
    mirrors.first(IMAGES, plain)
    assert_whole(load_fashion_mnist())
    assert (fashion.cache_folder() / IMAGES).read_bytes() == CONTENT[IMAGES]


def test_a_download_replaces_a_bad_file_in_the_cache(mirrors: Mirrors) -> None:
    write(fill(fashion.cache_folder()), IMAGES, b"bad")
    with pytest.warns(UserWarning, match=f"{IMAGES}.gz cannot be used"):
        assert_whole(load_fashion_mnist())
    assert_whole(load_fashion_mnist())


def test_an_unwritable_cache_leaves_the_data_usable(
    tmp_path: Path, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # holds for root too
    with pytest.warns(UserWarning, match="used from memory, for .* cannot be written") as caught:
        assert_whole(load_fashion_mnist())
    assert len(caught) == 4
    assert caught[0].filename == __file__


def test_a_full_disk_leaves_the_data_usable_and_no_rubbish(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert_whole(load_fashion_mnist())
    assert contents(fashion.cache_folder()) == {}


# The Dataset classes


@pytest.fixture
def train_set(tmp_path: Path) -> FashionMNIST:
    return FashionMNIST(fill(tmp_path / "mine" / "FashionMNIST" / "raw").parents[1])


def test_attributes(tmp_path: Path, train_set: FashionMNIST) -> None:
    test_set = FashionMNIST(train_set.root, train=False)
    for dataset, x, y in ((train_set, *ARRAYS[:2]), (test_set, *ARRAYS[2:])):
        assert isinstance(dataset.data, th.Tensor)
        assert isinstance(dataset.targets, th.Tensor)
        np.testing.assert_array_equal(dataset.data.numpy(), x)
        np.testing.assert_array_equal(dataset.targets.numpy(), y)
        assert (dataset.data.dtype, dataset.targets.dtype) == (th.uint8, th.int64)
        assert len(dataset) == len(x)
    assert train_set.name == "fashion-mnist"
    assert train_set.classes[0] == "T-shirt/top"
    assert train_set.class_to_idx["Ankle boot"] == 9
    assert repr(test_set) == (
        "Dataset FashionMNIST\n    Number of datapoints: 20\n"
        f"    Root location: {tmp_path / 'mine'}\n    Split: Test"
    )


def test_an_item_is_a_scaled_image_and_an_int(train_set: FashionMNIST) -> None:
    for index in (0, 7, -1):
        image, target = train_set[index]
        assert isinstance(image, th.Tensor)
        assert (image.shape, image.dtype) == ((1, 28, 28), th.float32)
        expected = ARRAYS.x_train[index].astype(np.float64) / 255
        np.testing.assert_allclose(image.numpy()[0], expected, rtol=6e-8)
        assert type(target) is int
        assert target == ARRAYS.y_train[index]
    with pytest.raises(IndexError):
        train_set[30]
    assert len(list(train_set)) == 30


def test_transforms_take_the_bytes_and_the_int(train_set: FashionMNIST) -> None:
    def blackened(image: np.ndarray) -> int:
        assert (image.shape, image.dtype) == ((28, 28), np.uint8)
        total = int(image.sum())
        image[:] = 0
        return total

    dataset = FashionMNIST(train_set.root, True, blackened, lambda target: f"class {target}")
    for _ in range(2):  # a transform that writes into its image leaves the data alone
        assert dataset[3] == (int(ARRAYS.x_train[3].sum()), f"class {ARRAYS.y_train[3]}")
    assert "Transform: <function" in repr(dataset)


def test_data_and_targets_may_be_replaced(train_set: FashionMNIST) -> None:
    kept = np.flatnonzero(ARRAYS.y_train < 5)
    train_set.data = train_set.data[kept]
    train_set.targets = train_set.targets[kept]
    assert len(train_set) == len(kept)
    assert [target for _, target in train_set] == ARRAYS.y_train[kept].tolist()


def test_a_batch_is_its_samples(train_set: FashionMNIST) -> None:
    images, targets = next(iter(DataLoader(train_set, batch_size=4)))
    assert (images.shape, images.dtype) == ((4, 1, 28, 28), th.float32)
    for i in range(4):
        np.testing.assert_array_equal(images[i].numpy(), train_set[i][0].numpy())
    assert (targets.tolist(), targets.dtype) == (ARRAYS.y_train[:4].tolist(), th.int64)


def test_a_batch_goes_through_the_transforms(train_set: FashionMNIST) -> None:
    dataset = FashionMNIST(train_set.root, True, lambda image: int(image.max()), lambda y: y + 100)
    tops, targets = next(iter(DataLoader(dataset, batch_size=4)))
    assert tops.tolist() == ARRAYS.x_train[:4].max(axis=(1, 2)).tolist()
    assert targets.tolist() == (ARRAYS.y_train[:4] + 100).tolist()


def test_vectors(train_set: FashionMNIST) -> None:
    vectors = train_set.vectors()
    pixels, targets = vectors[:]
    assert (pixels.shape, pixels.dtype) == ((30, 784), th.float32)
    assert (pixels.numpy().min(), pixels.numpy().max()) == (0, 1)
    expected = ARRAYS.x_train.reshape(30, 784).astype(np.float64) / 255
    np.testing.assert_allclose(pixels.numpy(), expected, rtol=6e-8)
    np.testing.assert_array_equal(targets.numpy(), ARRAYS.y_train)
    x, y = vectors.gather([7, -1, 7])
    np.testing.assert_array_equal(x.numpy(), pixels.numpy()[[7, 29, 7]])
    assert y.tolist() == targets[[7, 29, 7]].tolist()
    with pytest.raises(IndexError, match="30"):
        vectors.gather([0, 30])
    image, label = vectors[3]
    np.testing.assert_array_equal(image.numpy(), pixels.numpy()[3])
    assert label.item() == targets[3].item()


def test_no_root_means_the_usual_places_and_no_download(mirrors: Mirrors) -> None:
    with pytest.raises(DatasetError, match="is not in"):
        FashionMNIST()
    assert mirrors.asked == []
    assert len(FashionMNIST(download=True)) == 30
    assert len(FashionMNIST(train=False, download=True)) == 20
    assert len(mirrors.asked) == len(contents(fashion.cache_folder())) == 4
    assert "Root location" not in repr(FashionMNIST())


def test_a_root_is_filled_only_when_asked(tmp_path: Path, mirrors: Mirrors) -> None:
    fill(fashion.DEBIAN)
    with pytest.raises(DatasetError, match=r"is not in .*mine"):
        FashionMNIST(tmp_path / "mine")
    assert len(FashionMNIST(tmp_path / "mine", download=True)) == 30
    assert len(FashionMNIST(tmp_path / "mine")) == 30
    assert len(mirrors.asked) == 2


def test_drawn_fashion_stands_in_under_its_own_name() -> None:
    drawn = DrawnFashion(n=30, seed=3)
    x_train, y_train, x_test, _ = load_drawn_fashion(30, 20, seed=3)
    np.testing.assert_array_equal(drawn.data.numpy(), x_train)
    np.testing.assert_array_equal(drawn.targets.numpy(), y_train)
    np.testing.assert_array_equal(DrawnFashion(False, n=20, seed=3).data.numpy(), x_test)
    assert drawn.name == "drawn-fashion"
    assert drawn.classes == FashionMNIST.classes
    assert drawn[0][0].shape == (1, 28, 28)
    assert repr(drawn) == (
        "Dataset DrawnFashion\n    Number of datapoints: 30\n    Split: Train\n    Seed: 3"
    )


# The real files


@real_data
def test_debians_files_are_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    found = load_fashion_mnist(DEBIAN)
    assert [array.shape for array in found] == [
        (60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)
    ]
    assert [array.dtype for array in found] == [np.uint8, np.int64] * 2
    share = sum(np.bincount(image.ravel(), minlength=256) for image in found.x_train) / (6e4 * 784)
    pixel = np.arange(256) / 255
    mean = share @ pixel
    assert mean == pytest.approx(0.2860, abs=5e-5)
    assert np.sqrt(share @ (pixel - mean) ** 2) == pytest.approx(0.3530, abs=5e-5)
    assert np.bincount(found.y_train).tolist() == [6000] * 10
    assert np.bincount(found.y_test).tolist() == [1000] * 10
