"""The importer's own table of gene names: what pharmacology calls a gene, and what names no single gene.

Symbols and approved names are those of the HGNC (genenames.org, CC0). The other names are previous symbols, HGNC aliases
and common pharmacology names. A name stands here only where one gene is meant. Two receptors of several subunits have
an entry because one subunit is in every such receptor: GluN1 (GRIN1) in NMDA receptors, 5-HT3A (HTR3A) in 5-HT3
receptors. GABA-A receptors have no such subunit.
"""

from __future__ import annotations

from dataclasses import dataclass

# symbol | approved name | other names
_GENES = """
CNR1|cannabinoid receptor 1|CB1;CB1R;CB1 receptor;cannabinoid receptor type 1
CNR2|cannabinoid receptor 2|CB2;CB2R;CB2 receptor;cannabinoid receptor type 2
TRPV1|transient receptor potential cation channel subfamily V member 1|VR1;vanilloid receptor 1;capsaicin receptor
TRPV2|transient receptor potential cation channel subfamily V member 2|VRL1
TRPA1|transient receptor potential cation channel subfamily A member 1|ANKTM1
TRPM8|transient receptor potential cation channel subfamily M member 8|
GPR55|G protein-coupled receptor 55|
PTGS1|prostaglandin-endoperoxide synthase 1|COX1;cyclooxygenase 1
PTGS2|prostaglandin-endoperoxide synthase 2|COX2;cyclooxygenase 2
ALOX5|arachidonate 5-lipoxygenase|5-LOX;5-lipoxygenase
FAAH|fatty acid amide hydrolase|FAAH1;anandamide amidohydrolase
MGLL|monoglyceride lipase|MAGL;monoacylglycerol lipase
PPARA|peroxisome proliferator activated receptor alpha|PPAR-alpha;NR1C1
PPARG|peroxisome proliferator activated receptor gamma|PPAR-gamma;NR1C3
PPARD|peroxisome proliferator activated receptor delta|PPAR-delta;NR1C2
OPRM1|opioid receptor mu 1|MOR;MOR1;mu-opioid;mu-opioid receptor
OPRD1|opioid receptor delta 1|delta-opioid;delta-opioid receptor
OPRK1|opioid receptor kappa 1|KOR;kappa-opioid;kappa-opioid receptor
HTR1A|5-hydroxytryptamine receptor 1A|5-HT1A;5-HT1A receptor;serotonin 1A receptor
HTR1B|5-hydroxytryptamine receptor 1B|5-HT1B;5-HT1B receptor
HTR2A|5-hydroxytryptamine receptor 2A|5-HT2A;5-HT2A receptor;serotonin 2A receptor
HTR2C|5-hydroxytryptamine receptor 2C|5-HT2C;5-HT2C receptor
HTR3A|5-hydroxytryptamine receptor 3A|5-HT3A;5-HT3;5-HT3R;5-HT3 receptor
HTR7|5-hydroxytryptamine receptor 7|5-HT7;5-HT7 receptor
GABRA1|gamma-aminobutyric acid type A receptor subunit alpha1|GABA-A receptor alpha-1;GABA-A alpha1
GRIN1|glutamate ionotropic receptor NMDA type subunit 1|NMDAR1;GluN1;NMDA;NMDA receptor
BDNF|brain derived neurotrophic factor|brain-derived neurotrophic factor
CRHR1|corticotropin releasing hormone receptor 1|CRF1;CRF1 receptor
NPY|neuropeptide Y|neuropeptide Y
DRD1|dopamine receptor D1|dopamine D1;D1 receptor;D1R
DRD2|dopamine receptor D2|dopamine D2;D2 receptor;D2R
DRD3|dopamine receptor D3|dopamine D3;D3 receptor
TACR1|tachykinin receptor 1|NK1R;NK1 receptor;neurokinin 1 receptor;substance P receptor
SCN1A|sodium voltage-gated channel alpha subunit 1|Nav1.1
KCNQ2|potassium voltage-gated channel subfamily Q member 2|Kv7.2
KCNQ3|potassium voltage-gated channel subfamily Q member 3|Kv7.3
IL1A|interleukin 1 alpha|IL-1alpha
IL1B|interleukin 1 beta|IL-1beta;IL-1B;interleukin-1 beta
IL4|interleukin 4|IL-4
IL6|interleukin 6|IL-6;interleukin-6
CXCL8|C-X-C motif chemokine ligand 8|IL-8;interleukin-8
IL10|interleukin 10|IL-10;interleukin-10
IL17A|interleukin 17A|IL-17A
TNF|tumor necrosis factor|TNF-alpha;TNFA;tumour necrosis factor alpha;tumor necrosis factor alpha
IFNG|interferon gamma|IFN-gamma;interferon-gamma
CCL2|C-C motif chemokine ligand 2|MCP-1
NLRP3|NLR family pyrin domain containing 3|
TLR4|toll like receptor 4|
SNCA|synuclein alpha|alpha-synuclein
PRKN|parkin RBR E3 ubiquitin protein ligase|PARK2;parkin
APP|amyloid beta precursor protein|amyloid precursor protein
APOE|apolipoprotein E|apolipoprotein E
BACE1|beta-secretase 1|BACE;beta-secretase
PSEN1|presenilin 1|presenilin-1;PS1
MYOC|myocilin|TIGR
OPTN|optineurin|
MMP13|matrix metallopeptidase 13|MMP-13;collagenase 3
NOD2|nucleotide binding oligomerization domain containing 2|CARD15
TP53|tumor protein p53|p53
BCL2|BCL2 apoptosis regulator|Bcl-2
VEGFA|vascular endothelial growth factor A|VEGF;VEGF-A
HCRTR1|hypocretin receptor 1|OX1R;OX1 receptor;orexin receptor 1
HCRTR2|hypocretin receptor 2|OX2 receptor;orexin receptor 2
SLC6A2|solute carrier family 6 member 2|norepinephrine transporter;noradrenaline transporter
SLC6A3|solute carrier family 6 member 3|DAT1;dopamine transporter
SLC6A4|solute carrier family 6 member 4|SERT;5-HTT;serotonin transporter
SLITRK1|SLIT and NTRK like family member 1|
GHSR|growth hormone secretagogue receptor|GHS-R;GHS-R1a;ghrelin receptor
GHRL|ghrelin and obestatin prepropeptide|ghrelin
POMC|proopiomelanocortin|pro-opiomelanocortin;ACTH
AGRP|agouti related neuropeptide|agouti-related peptide
MTOR|mechanistic target of rapamycin kinase|mTOR;FRAP1
ADORA1|adenosine A1 receptor|adenosine A1;A1 adenosine receptor
ADORA2A|adenosine A2a receptor|adenosine A2A;A2A adenosine receptor
OXT|oxytocin/neurophysin I prepropeptide|oxytocin
OXTR|oxytocin receptor|
INS|insulin|
INSR|insulin receptor|insulin receptors
PRL|prolactin|
PRLR|prolactin receptor|prolactin receptors
MTNR1A|melatonin receptor 1A|MT1 receptor
MTNR1B|melatonin receptor 1B|MT2 receptor
LEP|leptin|
LEPR|leptin receptor|
NR3C1|nuclear receptor subfamily 3 group C member 1|glucocorticoid receptor
GLP1R|glucagon like peptide 1 receptor|GLP-1R;GLP-1 receptor
ACHE|acetylcholinesterase (Yt blood group)|acetylcholinesterase
MAOA|monoamine oxidase A|MAO-A
MAOB|monoamine oxidase B|MAO-B
NOS2|nitric oxide synthase 2|iNOS
NOS3|nitric oxide synthase 3|eNOS
HMOX1|heme oxygenase 1|HO-1
NFE2L2|NFE2 like bZIP transcription factor 2|NRF2
SIGMAR1|sigma non-opioid intracellular receptor 1|sigma-1 receptor
CHRNA7|cholinergic receptor nicotinic alpha 7 subunit|alpha7 nicotinic receptor
TNFSF11|TNF superfamily member 11|RANKL
TNFRSF11A|TNF receptor superfamily member 11a|RANK
TNFRSF11B|TNF receptor superfamily member 11b|OPG;osteoprotegerin
"""

# names | what they name | symbols to choose from
_FAMILIES = """
CB;CB receptor;CB receptors;CB-R;cannabinoid receptor;cannabinoid receptors|the cannabinoid receptors|CNR1, CNR2
GABA-A;GABAA;GABA-A receptor;GABA-A receptors;GABA|the GABA-A receptor, built from 19 subunits|GABRA1, GABRB2, GABRG2
PPAR;PPARs|the PPAR receptors|PPARA, PPARD, PPARG
COX;cyclooxygenase|the cyclooxygenases|PTGS1, PTGS2
TRP channels;TRPV|the TRP channels|TRPV1, TRPV2, TRPA1, TRPM8
opioid receptors;opioid|the opioid receptors|OPRM1, OPRD1, OPRK1
serotonin receptors;5-HT receptors;5-HT;serotonin|the serotonin receptors|HTR1A, HTR2A, HTR3A
5-HT1;5-HT2|a subfamily of the serotonin receptors|HTR1A, HTR1B, HTR2A, HTR2C
dopamine receptors;dopamine|the dopamine receptors|DRD1, DRD2, DRD3
melatonin receptors;melatonin receptor;melatonin|the melatonin receptors|MTNR1A, MTNR1B
adenosine receptors;adenosine|the adenosine receptors|ADORA1, ADORA2A, ADORA2B, ADORA3
muscarinic;muscarinic receptors;muscarinic receptor|the muscarinic receptors|CHRM1, CHRM2, CHRM3, CHRM4, CHRM5
nicotinic;nicotinic receptors|the nicotinic receptors|CHRNA4, CHRNB2, CHRNA7
beta-adrenergic;beta-adrenergic receptors;beta adrenoceptors|the beta adrenoceptors|ADRB1, ADRB2, ADRB3
alpha-adrenergic;alpha-adrenergic receptors|the alpha adrenoceptors|ADRA1A, ADRA1B, ADRA2A
sodium channels;voltage-gated sodium channels;Nav|the voltage-gated sodium channels|SCN1A, SCN5A, SCN9A
calcium channels;voltage-gated calcium channels;Cav|the voltage-gated calcium channels|CACNA1A, CACNA1C, CACNA1H
potassium channels;Kv|the potassium channels|KCNQ2, KCNQ3, KCNA1
endothelin;endothelins|three endothelins, each with a gene|EDN1, EDN2, EDN3
endothelin receptors|the endothelin receptors|EDNRA, EDNRB
orexin receptors|the orexin receptors|HCRTR1, HCRTR2
AMPK;AMP-activated protein kinase|a kinase of three subunits with seven genes|PRKAA1, PRKAA2, PRKAB1, PRKAG1
NF-kB;NFkB;NF-kappaB|a transcription factor of several subunits|NFKB1, NFKB2, RELA
gamma-secretase|a complex of four proteins|PSEN1, PSEN2, NCSTN, APH1A, PSENEN
IL-1|two cytokines, each with a gene|IL1A, IL1B
TGF-beta;TGFB|three growth factors, each with a gene|TGFB1, TGFB2, TGFB3
MAO;monoamine oxidase|the monoamine oxidases|MAOA, MAOB
NOS;nitric oxide synthase|the nitric oxide synthases|NOS1, NOS2, NOS3
estrogen receptors;oestrogen receptors|the estrogen receptors|ESR1, ESR2
MMPs;matrix metalloproteinases|the matrix metallopeptidases|MMP2, MMP9, MMP13
growth factors|growth factors of many families|VEGFA, BDNF, NGF
cytokines;interleukins;pro-inflammatory cytokines|many cytokines|TNF, IL1B, IL6
"""

_SEVERAL = """
RANK/RANKL;RANKL/RANK|a receptor and its ligand|TNFRSF11A, TNFSF11
CB1/CB2;CB1 and CB2|two receptors|CNR1, CNR2
COX1/COX2;COX-1/COX-2|two enzymes|PTGS1, PTGS2
"""

_PROCESSES = """
inflammatory pathways;inflammation;inflammatory response|inflammation|TNF, IL1B, IL6, PTGS2
amyloid pathways;amyloid|amyloid formation|APP, BACE1, PSEN1
osteoblast pathways|bone formation|RUNX2, SP7, BMP2
endocannabinoid system|a signalling system|CNR1, CNR2, FAAH, MGLL
neuroprotection;oxidative stress;apoptosis|a process|
"""

# Aliases of a catalogue gene that are another gene's current symbol, or commonly mean another gene.
_AMBIGUOUS = """
SPR|an old alias of TACR1 and the symbol of sepiapterin reductase|TACR1, SPR
HGF|an old alias of IL6 and the symbol of hepatocyte growth factor|IL6, HGF
HTT|an alias of SLC6A4 and the symbol of huntingtin|SLC6A4, HTT
OXR1|an alias of HCRTR1 and the symbol of oxidation resistance 1|HCRTR1, OXR1
PD1|an alias of SNCA and the usual name of PDCD1|SNCA, PDCD1
NRP|an alias of OPTN and of NRP1|OPTN, NRP1
NAC1|an alias of SCN1A and of NACC1|SCN1A, NACC1
NR1|an alias of GRIN1 and of NDOR1|GRIN1, NDOR1
OX2R|an alias of HCRTR2 and of CD200R1|HCRTR2, CD200R1
MOP|an alias of OPRM1 and of OPN4|OPRM1, OPN4
FAD|an alias of PSEN1 and of FANCD2|PSEN1, FANCD2
CD|an alias of NOD2 and of CTLA4|NOD2, CTLA4
CLIP|an alias of POMC, CLIP1 and CD74|POMC, CLIP1, CD74
MSH|an alias of POMC and of MSX2|POMC, MSX2
DAT|the dopamine transporter, and part of many other names|SLC6A3
NET|the norepinephrine transporter, and part of many other names|SLC6A2
"""


@dataclass(frozen=True)
class GeneName:
    """A gene that the importer knows without the catalogue."""

    symbol: str
    name: str
    other_names: tuple[str, ...]


@dataclass(frozen=True)
class NotOneGene:
    """A name that names no single gene: what it names, and symbols that a curator may choose from."""

    names: tuple[str, ...]
    what: str
    choices: str


def _genes() -> tuple[GeneName, ...]:
    rows = (line.split("|") for line in _GENES.strip().splitlines())
    return tuple(GeneName(symbol, name, tuple(filter(None, others.split(";")))) for symbol, name, others in rows)


def _not_one_gene(table: str) -> tuple[NotOneGene, ...]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(NotOneGene(tuple(names.split(";")), what, choices) for names, what, choices in rows)


GENES = _genes()
FAMILIES = _not_one_gene(_FAMILIES)
SEVERAL = _not_one_gene(_SEVERAL)
PROCESSES = _not_one_gene(_PROCESSES)
AMBIGUOUS = _not_one_gene(_AMBIGUOUS)
