"""Fig. 6: perturbed diamond returns to diamond by itself, and becomes amorphous where a spectrum guides."""

from acgen.reproduction.amorphised import Amorphised
from acgen.reproduction.perturbed import DIAMOND

FIGURE = Amorphised(DIAMOND, cn=4).figure("fig6", "Perturbed diamond, unguided and guided to amorphous carbon")
