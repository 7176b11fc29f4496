"""The method of DragonDiffusion: inversion, memory bank, energies, guidance, sampling."""
