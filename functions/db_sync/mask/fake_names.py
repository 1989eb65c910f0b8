"""Names that masked ones are made of: as many first as last ones, all of them ASCII."""

FIRST = """
Ada Alan Alice Amir Anna Aron Bela Ben Bruno Carla Cem Clara Cora Dario David Dina Edgar Elena
Elias Emma Erik Eva Felix Fiona Frank Greta Gustav Hana Hugo Ida Igor Ines Ivan Jana Joel Judith
Kai Karim Lara Leo Lina Luca Maja Marco Marta Mila Nadia Nils Nora Olga Omar Oscar Paula Petra
Quinn Rosa Ruben Samir Sara Simon Tara Theo Vera Yusuf
"""
LAST = """
Abbott Alvarez Baker Barros Becker Bianchi Bishop Bruun Carter Castro Chen Conrad Costa Dahl
Dawson Diaz Dietz Ellis Eriksen Farkas Fischer Fontana Garcia Graham Gruber Haas Hansen Harris
Hoffman Ibarra Ito Jansen Jensen Kaya Keller Klein Kovacs Lang Larsen Lemaire Lopez Marino Martin
Mercer Meyer Moreau Nagy Novak Okafor Olsen Parker Peters Quist Ramos Reyes Rossi Santos Schmidt
Silva Sorensen Tanaka Turner Vogel Weber
"""
FIRST_NAMES, LAST_NAMES = tuple(FIRST.split()), tuple(LAST.split())
