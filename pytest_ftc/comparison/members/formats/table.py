"""The table of formats: detecting a file's format and choosing its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_ftc.comparison.members.contents import Contents
from pytest_ftc.comparison.members.formats import (
    ar,
    cpio,
    gzip_file,
    java_class,
    mach_o,
    pdf,
    pe,
    png,
    pyc,
    sfnt,
    sqlite,
    wasm,
    zlib_stream,
)
from pytest_ftc.comparison.members.formats import compression as compressed
from pytest_ftc.comparison.members.formats import tar as tars
from pytest_ftc.comparison.members.formats import zip as zips
from pytest_ftc.comparison.members.formats.data import hdf5, npy, onnx_model, parquet, pickled, safetensors_file, wav
from pytest_ftc.comparison.members.formats.elf import reader as elf
from pytest_ftc.comparison.members.formats.fixed import ext, fat, iso9660, squashfs
from pytest_ftc.comparison.members.formats.fixed import reader as fixed
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how to detect and how to read it."""

    name: FileFormat
    knows: Callable[[Span, str], bool]
    """Detects the format from a file's bytes and lower-case name."""
    read: Callable[[Span, Budget], Contents]
    """Reads the file; may raise any exception if it is invalid."""


FORMATS = (
    Format(FileFormat.ELF, elf.is_elf, elf.read_elf),
    Format(FileFormat.ZIP, zips.is_zip, zips.read_zip),
    Format(FileFormat.TAR, tars.is_tar, tars.read_tar),
    Format(FileFormat.GZIP, gzip_file.is_gzip, gzip_file.read_gzip),
    Format(FileFormat.XZ, compressed.is_xz, compressed.read_xz),
    Format(FileFormat.LZIP, compressed.is_lzip, compressed.read_lzip),
    Format(FileFormat.BZIP2, compressed.is_bzip2, compressed.read_bzip2),
    Format(FileFormat.ZSTD, compressed.is_zstd, compressed.read_zstd),
    Format(FileFormat.AR, ar.is_ar, ar.read_ar),
    Format(FileFormat.CPIO, cpio.is_cpio, cpio.read_cpio),
    Format(FileFormat.PYC, pyc.is_pyc, pyc.read_pyc),
    Format(FileFormat.CLASS, java_class.is_class, java_class.read_class),
    Format(FileFormat.SQLITE, sqlite.is_sqlite, sqlite.read_sqlite),
    Format(FileFormat.PNG, png.is_png, png.read_png),
    Format(FileFormat.PDF, pdf.is_pdf, pdf.read_pdf),
    Format(FileFormat.DATA, npy.is_npy, npy.read_npy),
    Format(FileFormat.DATA, wav.is_wav, wav.read_wav),
    Format(FileFormat.DATA, safetensors_file.is_safetensors, safetensors_file.read_safetensors),
    Format(FileFormat.DATA, onnx_model.is_onnx, onnx_model.read_onnx),
    Format(FileFormat.DATA, parquet.is_parquet, parquet.read_parquet),
    Format(FileFormat.DATA, hdf5.is_hdf5, hdf5.read_hdf5),
    Format(FileFormat.DATA, pickled.is_pickle, pickled.read_pickle),
    Format(FileFormat.IMAGE, iso9660.is_iso9660, iso9660.read_iso9660),
    Format(FileFormat.BINARY, mach_o.is_mach_o, mach_o.read_mach_o),
    Format(FileFormat.BINARY, pe.is_pe, pe.read_pe),
    Format(FileFormat.BINARY, sfnt.is_sfnt, sfnt.read_sfnt),
    Format(FileFormat.BINARY, wasm.is_wasm, wasm.read_wasm),
    Format(FileFormat.IMAGE, ext.is_ext, ext.read_ext),
    Format(FileFormat.IMAGE, fat.is_fat, fat.read_fat),
    Format(FileFormat.IMAGE, squashfs.is_squashfs, squashfs.read_squashfs),
    Format(FileFormat.BINARY, fixed.has_layout, fixed.read_layout),
    # Last, because other formats contain zlib streams.
    Format(FileFormat.ZLIB, zlib_stream.is_zlib, zlib_stream.read_zlib),
)


_UNREADABLE = {
    b"7z\xbc\xaf\x27\x1c": "7z archives",
    b"Rar!\x1a\x07": "RAR archives",
    b"\xed\xab\xee\xdb": "RPM packages",
    b"MSCF\0\0\0\0": "cabinet archives",
    b"xar!\0\x1c": "xar archives",
    b"\x04\x22\x4d\x18": "lz4 files",
    b"\x1f\x9d\x90": "files of compress(1)",
    b"]\0\0\x80\0": "lzma files",
}
"""Magic numbers of compressed formats without a reader here (magic(5))."""


def find_unreadable(span: Span) -> str:
    """Return the name of a compressed format without a reader; empty for any other file."""
    head = span.read(0, 8)
    return next((name for magic, name in _UNREADABLE.items() if head.startswith(magic)), "")


def find_format(span: Span, name: str) -> Format | None:
    """Return the format of a file; None if it is unknown."""
    return next((format_ for format_ in FORMATS if format_.knows(span, name.lower())), None)
