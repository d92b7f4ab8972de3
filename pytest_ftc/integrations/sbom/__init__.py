"""Software bills of materials in the format CycloneDX, and those embedded in wheels."""
