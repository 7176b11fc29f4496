"""Small files with as many pixels as are read: what they take."""

import subprocess
import sys

import pytest
from PIL import ExifTags, Image

CODE = """
import resource, sys
from dragondiffusion.imaging.photos import read_photo
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert read_photo(sys.argv[1]).size == (10000, 10000)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["1", "RGB", "RGBA", "LA", "I;16", "F"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_largest_images_take_less_than_a_gigabyte(tmp_path, mode, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / ("image.tiff" if mode == "F" else "image.png")
    options = {"compression": "tiff_adobe_deflate"} if mode == "F" else {}
    Image.new(mode, (10000, 10000)).save(path, exif=exif, **options)
    assert path.stat().st_size < 10**6
    assert int(subprocess.check_output([sys.executable, "-c", CODE, str(path)], text=True)) < 1000
