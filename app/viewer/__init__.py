"""The structure in three dimensions: nglview and what colours it."""
