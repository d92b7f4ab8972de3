"""ELF files: their sections, and the build id that the linker computes from these."""
