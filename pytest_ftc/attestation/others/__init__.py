"""What others attest: links of in-toto, provenance by other tools, and their keys."""
